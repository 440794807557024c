/// Whose observations count for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Its own first; if it has none of that address, others'.
    Shared,
    /// Its own only.
    Client,
}
