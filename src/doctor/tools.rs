use super::Finding;

/// The oldest nft that prints what decider reads.
const LEAST: (u32, u32, u32) = (1, 0, 6);

/// What `nft --version` says; none if there is no nft.
pub type NftVersion = Option<String>;

pub fn examine(nft: &NftVersion) -> Finding {
    const NAME: &str = "tools.nft";
    const INSTALL: &str = "apt install nftables";
    let least = format!("{}.{}.{}", LEAST.0, LEAST.1, LEAST.2);
    let Some(said) = nft else {
        return Finding::wrong(NAME, "there is no program `nft` in PATH", INSTALL);
    };
    match version(said) {
        Some(found) if found >= LEAST => Finding::ok(NAME, format!("nft {}.{}.{}", found.0, found.1, found.2)),
        Some((major, minor, patch)) => {
            Finding::wrong(NAME, format!("nft {major}.{minor}.{patch} is too old: {least} or newer is needed"), INSTALL)
        }
        None => Finding::warn(NAME, format!("asked for its version, nft says {said:?}"), "nft --version"),
    }
}

/// From `nft --version`: `nftables v1.0.6 (Lester Gooch #5)`.
fn version(said: &str) -> Option<(u32, u32, u32)> {
    let text = said.split_whitespace().find_map(|word| word.strip_prefix('v'))?;
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next().flatten().unwrap_or(0)))
}
