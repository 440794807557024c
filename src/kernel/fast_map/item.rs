use std::net::IpAddr;
use std::time::Duration;

use netlink_packet_netfilter::nftables::{DataAttribute, SetElementAttribute};

use crate::fast::{Element, Key, MARGIN};
use crate::model::{Mark, Moment};

use super::change::Item;

/// The element of a map, with the time that it has left `now`.
pub fn placed(element: &Element, now: Moment) -> Item {
    let left = element.until.since(now).saturating_sub(MARGIN);
    let mark = DataAttribute::Value(element.mark.0.to_ne_bytes().to_vec());
    vec![
        SetElementAttribute::Timeout(millis(left).max(1)),
        key(key_bytes(&element.key)),
        SetElementAttribute::Data(mark),
    ]
}

/// The element of a map that is to be taken out.
pub fn gone(gone: &Key) -> Item {
    vec![key(key_bytes(gone))]
}

/// The element of a set of marks, which ends after so long.
pub fn mark(mark: Mark, lasts: Duration) -> Item {
    vec![SetElementAttribute::Timeout(millis(lasts)), key(mark.0.to_ne_bytes().to_vec())]
}

fn key(bytes: Vec<u8>) -> SetElementAttribute {
    SetElementAttribute::Key(DataAttribute::Value(bytes))
}

/// Each part takes whole registers of four bytes.
fn key_bytes(key: &Key) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(36);
    for address in [key.client, key.dst] {
        match address {
            IpAddr::V4(address) => bytes.extend(address.octets()),
            IpAddr::V6(address) => bytes.extend(address.octets()),
        }
    }
    bytes.extend(key.port.to_be_bytes());
    bytes.extend([0, 0]);
    bytes
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
