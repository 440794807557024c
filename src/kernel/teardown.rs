use super::KernelError;
use super::backstop::remove_filters;
use super::nft::delete_table;
use super::routing::Routing;

/// Removes everything of decider from the kernel, and only that; says in words what there was.
///
/// # Errors
/// The first thing that cannot be removed.
pub async fn teardown() -> Result<Vec<String>, KernelError> {
    let mut removed = Vec::new();
    if delete_table()? {
        removed.push("the nftables table".to_owned());
    }
    removed.extend(Routing::connect()?.remove_all().await?);
    removed.extend(remove_filters().await?);
    Ok(removed)
}
