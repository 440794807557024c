//! Rules with the `NFQUEUE` target of xtables inside decider's own table, for kernels without `nft_queue`.
//!
//! `nft` has no words for it, so the rules are added by netlink: an nft rule whose only expression is `target`
//! (`net/netfilter/nft_compat.c`).

use std::io;
use std::ops::RangeInclusive;

use netlink_packet_core::{DefaultNla, NLM_F_APPEND, NLM_F_CREATE};
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, Expressions, NfTablesMessage, RuleAttribute, RuleMessage, TableAttribute,
    TableMessage,
};

use super::KernelError;
use super::names::{DNS_QUEUE_CHAIN, SYN_QUEUE_CHAIN, TABLE};
use super::nft_socket::{NftSocket, Part};
use super::ruleset::QueueNumbers;

/// `NFTA_TARGET_NAME`, `_REV`, `_INFO` (`linux/netfilter/nf_tables_compat.h`).
const TARGET_NAME: u16 = 1;
const TARGET_REVISION: u16 = 2;
const TARGET_INFO: u16 = 3;
/// `struct xt_NFQ_info_v3` (`linux/netfilter/xt_NFQUEUE.h`).
const REVISION: u32 = 3;

/// Adds the rules that hand packets to the queues; their chains must be there and empty.
///
/// # Errors
/// If the kernel refuses; then neither rule is there.
pub fn add(queues: &QueueNumbers) -> Result<(), KernelError> {
    let rules = [rule(TABLE, SYN_QUEUE_CHAIN, &queues.syn), rule(TABLE, DNS_QUEUE_CHAIN, &queues.dns)];
    let added = NftSocket::open().and_then(|mut socket| socket.commit(parts(rules)));
    added.map_err(|source| KernelError::netlink("add the NFQUEUE rules", source))
}

/// Whether the kernel takes such a rule. Changes nothing.
///
/// # Errors
/// What the kernel says.
pub fn probe() -> io::Result<()> {
    const NAME: &str = "decider_probe";
    let table = TableMessage { attributes: vec![TableAttribute::Name(NAME.into())] };
    let attributes = vec![ChainAttribute::Table(NAME.into()), ChainAttribute::Name(NAME.into())];
    let messages = [
        NfTablesMessage::NewTable(table),
        NfTablesMessage::NewChain(ChainMessage { attributes }),
        rule(NAME, NAME, &(0..=0)),
    ];
    NftSocket::open()?.check(parts(messages))
}

fn rule(table: &str, chain: &str, numbers: &RangeInclusive<u16>) -> NfTablesMessage {
    let target = Expressions::Other {
        expression_type: "target".to_owned(),
        attributes: vec![
            DefaultNla::new(TARGET_NAME, b"NFQUEUE\0".to_vec()),
            DefaultNla::new(TARGET_REVISION, REVISION.to_be_bytes().to_vec()),
            DefaultNla::new(TARGET_INFO, target_info(numbers)),
        ],
    };
    let attributes = vec![
        RuleAttribute::Table(table.to_owned()),
        RuleAttribute::Chain(chain.to_owned()),
        RuleAttribute::Expressions(vec![target.into()]),
    ];
    NfTablesMessage::NewRule(RuleMessage { attributes })
}

/// `{ u16 queuenum, u16 queues_total, u16 flags }` in host order, padded to eight bytes. No flags: packets are spread
/// by their addresses, so that the SYN of a flow and its retransmissions meet the same worker.
fn target_info(numbers: &RangeInclusive<u16>) -> Vec<u8> {
    let total = numbers.end().saturating_sub(*numbers.start()).saturating_add(1);
    [*numbers.start(), total, 0, 0].into_iter().flat_map(u16::to_ne_bytes).collect()
}

fn parts(messages: impl IntoIterator<Item = NfTablesMessage>) -> Vec<Part> {
    let part = |message| Part { message, flags: NLM_F_CREATE | NLM_F_APPEND };
    messages.into_iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_says_which_queues() {
        let words: Vec<u16> =
            target_info(&(5300..=5301)).chunks(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]])).collect();
        assert_eq!(words, [5300, 2, 0, 0]);
    }
}
