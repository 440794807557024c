/// Letters of a container's id that are shown, as its engine does.
const SHOWN: usize = 12;
/// Letters of a container's id.
const ID: usize = 64;

/// What people call a control group: the container's id, else the unit of systemd that is innermost; none for the root.
#[must_use]
pub fn unit(cgroup: &str) -> Option<String> {
    let parts = || cgroup.split('/').filter(|part| !part.is_empty()).rev();
    let is_unit = |part: &&str| [".service", ".scope", ".slice"].iter().any(|kind| part.ends_with(kind));
    parts().find_map(container).or_else(|| parts().find(is_unit).or_else(|| parts().next()).map(str::to_owned))
}

/// `docker-ID.scope`, `cri-containerd-ID.scope`, `libpod-ID.scope`, or the plain `ID` of engines without systemd.
fn container(part: &str) -> Option<String> {
    let stem = part.strip_suffix(".scope").unwrap_or(part);
    let (engine, id) = stem.rsplit_once('-').unwrap_or(("container", stem));
    let is_id = id.len() == ID && id.bytes().all(|letter| letter.is_ascii_hexdigit());
    is_id.then(|| format!("{engine} {}", id.get(..SHOWN).unwrap_or(id)))
}
