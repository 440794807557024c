use hickory_proto::rr::Name;

use crate::model::DomainName;

/// A name as it stood in a message: uncompressed, every octet and the case of every letter kept. 255 octets at most.
///
/// Case is part of it because resolvers and clients use it against forged answers (0x20 encoding).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WireName(Box<[u8]>);

impl WireName {
    pub(super) fn new(name: &Name) -> Self {
        let mut wire = Vec::with_capacity(name.len() + 1);
        for label in name {
            // Labels have 63 octets at most.
            wire.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
            wire.extend_from_slice(label);
        }
        wire.push(0);
        Self(wire.into())
    }

    /// The octets: each label with its length in front, then a zero (RFC 1035, 3.1).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name as a policy could mean it, if it is a host name: not the root, an address, or a name with octets that
    /// would have to be escaped (a dot within a label among them).
    #[must_use]
    pub fn host(&self) -> Option<DomainName> {
        let mut text = String::with_capacity(self.0.len());
        let mut rest = &*self.0;
        while let Some((&length, behind)) = rest.split_first().filter(|&(&length, _)| length > 0) {
            let (label, behind) = behind.split_at_checked(usize::from(length))?;
            if label.contains(&b'.') {
                return None;
            }
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(str::from_utf8(label).ok().filter(|label| label.is_ascii())?);
            rest = behind;
        }
        DomainName::parse(&text).ok()
    }
}
