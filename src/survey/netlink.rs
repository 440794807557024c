use futures_util::TryStreamExt;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkInfo, LinkMessage};
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleFlags, RuleMessage};
use rtnetlink::{Handle, IpVersion};

use crate::doctor::{ForeignRule, Seen, Unseen};
use crate::kernel::PROTOCOL;

/// What netlink says of routing and interfaces.
pub struct Net {
    pub rules: Vec<ForeignRule>,
    pub links: Vec<Link>,
}

/// An interface.
pub struct Link {
    pub name: String,
    pub is_bridge: bool,
}

pub fn look() -> Seen<Net> {
    let unseen = |error: std::io::Error| Unseen(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(unseen)?;
    runtime.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection().map_err(unseen)?;
        tokio::spawn(connection);
        let refused = |error: rtnetlink::Error| Unseen(error.to_string());
        let mut rules = rules(&handle, IpVersion::V4).await.map_err(refused)?;
        // A host without IPv6 has none.
        rules.extend(self::rules(&handle, IpVersion::V6).await.unwrap_or_default());
        let links: Vec<LinkMessage> = handle.link().get().execute().try_collect().await.map_err(refused)?;
        Ok(Net { rules, links: links.iter().filter_map(link).collect() })
    })
}

async fn rules(handle: &Handle, family: IpVersion) -> Result<Vec<ForeignRule>, rtnetlink::Error> {
    let v6 = matches!(family, IpVersion::V6);
    let all: Vec<RuleMessage> = handle.rule().get(family).execute().try_collect().await?;
    Ok(all.iter().filter_map(|message| foreign(message, v6)).collect())
}

fn foreign(message: &RuleMessage, v6: bool) -> Option<ForeignRule> {
    let mut rule = ForeignRule { v6, inverted: message.header.flags.contains(RuleFlags::Invert), ..Default::default() };
    let (mut value, mut bits) = (None, u32::MAX);
    if message.header.action == RuleAction::ToTable {
        rule.table = Some(u32::from(message.header.table));
    }
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Protocol(protocol) if u8::from(*protocol) == PROTOCOL => return None,
            RuleAttribute::Priority(preference) => rule.preference = *preference,
            RuleAttribute::Iifname(name) => rule.interface = Some(name.clone()),
            RuleAttribute::FwMark(mark) => value = Some(*mark),
            RuleAttribute::FwMask(mask) => bits = *mask,
            RuleAttribute::Table(table) if rule.table.is_some() => rule.table = Some(*table),
            RuleAttribute::Source(address) => rule.from = Some(format!("{address}/{}", message.header.src_len)),
            RuleAttribute::Destination(address) => rule.to = Some(format!("{address}/{}", message.header.dst_len)),
            _ => {}
        }
    }
    rule.mark = value.map(|value| (value, bits));
    Some(rule)
}

fn link(message: &LinkMessage) -> Option<Link> {
    let name = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    })?;
    let infos = message.attributes.iter().filter_map(|attribute| match attribute {
        LinkAttribute::LinkInfo(infos) => Some(infos),
        _ => None,
    });
    Some(Link { name, is_bridge: infos.flatten().any(|info| *info == LinkInfo::Kind(InfoKind::Bridge)) })
}
