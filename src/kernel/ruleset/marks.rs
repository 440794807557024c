//! Rules that move decider's bits between packet and conntrack entry and leave everybody else's alone.
//!
//! nft can only write a whole mark that is a constant or one masked register. Where nobody else has bits set, one
//! rule does it; otherwise each of our bits is moved by a rule of its own.

use std::net::Ipv6Addr;

use crate::model::{Mark, MarkMask};
use crate::policy::Spec;

/// Matches a packet whose decider bits are exactly `mark`.
pub fn packet_is(mask: MarkMask, mark: Mark) -> String {
    format!("meta mark & {mask} == {mark}")
}

/// Matches a packet without any decider bit.
pub fn packet_has_none(mask: MarkMask) -> String {
    packet_is(mask, Mark(0))
}

/// Matches a flow without any decider bit.
pub fn flow_has_none(mask: MarkMask) -> String {
    format!("ct mark & {mask} == {}", Mark(0))
}

/// Takes decider's bits off a packet.
pub fn clear(mask: MarkMask) -> String {
    format!("meta mark & {mask} != {} meta mark set meta mark & {}", Mark(0), Mark(mask.others()))
}

/// Takes decider's bits off a flow.
pub fn clear_flow(mask: MarkMask) -> String {
    format!("ct mark & {mask} != {} ct mark set ct mark & {}", Mark(0), Mark(mask.others()))
}

/// The rules that hand a connection to the listener of its mark, one a family, for packets that fit what is `asked`.
pub fn to_listener(spec: &Spec, asked: &str) -> [String; 2] {
    let mask = spec.marks;
    let rule = |nfproto: &str, family: &str, host: String| {
        format!("meta nfproto {nfproto} {asked} tproxy {family} to {host}:meta mark & {mask} map @listeners accept")
    };
    [rule("ipv4", "ip", spec.envoy.listen.to_string()), rule("ipv6", "ip6", format!("[{}]", Ipv6Addr::LOCALHOST))]
}

/// Adds `mark` to a packet that has none of our bits.
pub fn add(mark: Mark) -> String {
    format!("meta mark set meta mark or {mark}")
}

/// The rules that copy our bits from the flow to a packet that has none of them, and accept it.
pub fn restore(mask: MarkMask) -> Vec<String> {
    let whole = format!("{}meta mark set ct mark & {mask} accept", if_no_others("meta", mask));
    let bits = mask.each_bit().map(Mark).map(|bit| format!("ct mark & {bit} == {bit} {}", add(bit)));
    let mut rules = vec![whole];
    if mask.others() != 0 {
        rules.extend(bits);
        rules.push("accept".to_owned());
    }
    rules
}

/// The rules that copy our bits from the packet to a flow that has none of them.
pub fn save(mask: MarkMask) -> Vec<String> {
    let whole = format!("{}ct mark set meta mark & {mask} return", if_no_others("ct", mask));
    let bits = mask.each_bit().map(Mark).map(|bit| format!("meta mark & {bit} == {bit} ct mark set ct mark or {bit}"));
    let mut rules = vec![whole];
    if mask.others() != 0 {
        rules.extend(bits);
    }
    rules
}

fn if_no_others(whose: &str, mask: MarkMask) -> String {
    match mask.others() {
        0 => String::new(),
        others => format!("{whose} mark & {} == {} ", Mark(others), Mark(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_bits_cost_a_rule_each_of_ours() {
        let mask = MarkMask::new(0xf0).unwrap();
        assert_eq!(
            restore(mask),
            [
                "meta mark & 0xffffff0f == 0x00000000 meta mark set ct mark & 0x000000f0 accept",
                "ct mark & 0x00000010 == 0x00000010 meta mark set meta mark or 0x00000010",
                "ct mark & 0x00000020 == 0x00000020 meta mark set meta mark or 0x00000020",
                "ct mark & 0x00000040 == 0x00000040 meta mark set meta mark or 0x00000040",
                "ct mark & 0x00000080 == 0x00000080 meta mark set meta mark or 0x00000080",
                "accept",
            ]
        );
        assert_eq!(save(mask).len(), 5);
    }

    #[test]
    fn a_mask_of_all_bits_needs_one_rule() {
        let mask = MarkMask::new(u32::MAX).unwrap();
        assert_eq!(restore(mask), ["meta mark set ct mark & 0xffffffff accept"]);
        assert_eq!(save(mask), ["ct mark set meta mark & 0xffffffff return"]);
    }
}
