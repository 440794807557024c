/// How it is with the fast path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FastFigures {
    /// Whether the policy wants it and there are clients for it.
    pub is_wanted: bool,
    /// Elements in the kernel's map.
    pub elements: usize,
    /// Why the map cannot be used now: everything is decided in the queue.
    pub trouble: Option<String>,
}
