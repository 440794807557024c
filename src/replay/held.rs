use crate::queue::{HeldPacket, Hook};

/// A captured packet as the kernel would have held it.
pub struct Held<'a> {
    pub bytes: &'a [u8],
    pub hook: Hook,
}

impl HeldPacket for Held<'_> {
    fn bytes(&self) -> &[u8] {
        self.bytes
    }

    fn mark(&self) -> u32 {
        0
    }

    fn in_interface(&self) -> u32 {
        0
    }

    fn hook(&self) -> Hook {
        self.hook
    }
}
