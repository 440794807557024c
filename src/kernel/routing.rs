use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use futures_util::TryStreamExt;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkInfo, LinkMessage};
use netlink_packet_route::route::{RouteMessage, RouteProtocol, RouteScope, RouteType};
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleMessage};
use nix::errno::Errno;
use rtnetlink::{Handle, IpVersion, RouteMessageBuilder};

use super::KernelError;
use super::names::{LOCAL_TABLE, PROTOCOL, preference};
use super::routing_plan::{LocalRoute, RoutingPlan, RoutingRule};

/// Keeps decider's routing rules and routes, in both families if the host has IPv6.
#[derive(Clone)]
pub struct Routing {
    handle: Handle,
    families: Vec<IpVersion>,
}

impl Routing {
    /// Opens the socket; its task ends with the last clone of this. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// If the system gives no socket.
    pub fn connect() -> Result<Self, KernelError> {
        let (connection, handle, _) =
            rtnetlink::new_connection().map_err(|source| KernelError::netlink("open a routing socket", source))?;
        tokio::spawn(connection);
        let mut families = vec![IpVersion::V4];
        // There is no such folder with the kernel parameter `ipv6.disable=1`.
        if Path::new("/proc/sys/net/ipv6").exists() {
            families.push(IpVersion::V6);
        }
        Ok(Self { handle, families })
    }

    /// Adds what is missing of the plan and removes what is decider's and not in it; says how much that was.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub async fn ensure(&self, plan: &RoutingPlan) -> Result<usize, KernelError> {
        let mut changes = 0;
        for family in &self.families {
            let present = self.own_rules(family).await?;
            changes += usize::from(self.add_route(family, plan.route).await?);
            for rule in &plan.rules {
                if !present.iter().any(|(found, _)| found.as_ref() == Some(rule)) {
                    self.add_rule(family, rule).await?;
                    changes += 1;
                }
            }
            changes += self.delete_strays(&present, plan).await?;
        }
        Ok(changes)
    }

    /// Removes every rule and route of decider; says in words what there was.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub async fn remove_all(&self) -> Result<Vec<String>, KernelError> {
        let (mut rules, mut routes) = (0, 0);
        for family in &self.families {
            for (_, message) in self.own_rules(family).await? {
                self.delete_rule(message).await?;
                rules += 1;
            }
            routes += usize::from(self.delete_route(family).await?);
        }
        let words = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
        Ok([words(rules, "routing rules"), words(routes, "routes")].into_iter().flatten().collect())
    }

    /// Whether bridges hand their packets to netfilter (`br_netfilter`): it is there, and so is a bridge.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub async fn bridges_are_filtered(&self) -> Result<bool, KernelError> {
        if !Path::new("/proc/sys/net/bridge").exists() {
            return Ok(false);
        }
        let links = self.handle.link().get().execute();
        links.try_any(|link| std::future::ready(is_bridge(&link))).await.map_err(failed("list the interfaces"))
    }

    /// Deletes rules that are not in the plan, and all but the first of those that are there twice.
    async fn delete_strays(&self, present: &[OwnRule], plan: &RoutingPlan) -> Result<usize, KernelError> {
        let mut strays = 0;
        for (index, (rule, message)) in present.iter().enumerate() {
            let again = present.iter().take(index).any(|(earlier, _)| earlier == rule);
            let planned = rule.as_ref().is_some_and(|rule| plan.rules.contains(rule));
            if again || !planned {
                self.delete_rule(message.clone()).await?;
                strays += 1;
            }
        }
        Ok(strays)
    }

    async fn own_rules(&self, family: &IpVersion) -> Result<Vec<OwnRule>, KernelError> {
        let all: Vec<RuleMessage> = self
            .handle
            .rule()
            .get(family.clone())
            .execute()
            .try_collect()
            .await
            .map_err(failed("list the routing rules"))?;
        let own = all.into_iter().filter(is_own);
        Ok(own.map(|message| (read(&message), message)).collect())
    }

    async fn add_rule(&self, family: &IpVersion, rule: &RoutingRule) -> Result<(), KernelError> {
        let mut request = self.handle.rule().add();
        *request.message_mut() = message(rule, family);
        match request.execute().await {
            Err(error) if errno(&error) == Some(Errno::EEXIST) => Ok(()),
            result => result.map_err(failed(&format!("add the routing rule \"{rule}\""))),
        }
    }

    async fn delete_rule(&self, message: RuleMessage) -> Result<(), KernelError> {
        match self.handle.rule().del(message).execute().await {
            Err(error) if errno(&error) == Some(Errno::ENOENT) => Ok(()),
            result => result.map_err(failed("delete a routing rule")),
        }
    }

    /// Whether it was missing.
    async fn add_route(&self, family: &IpVersion, route: LocalRoute) -> Result<bool, KernelError> {
        let loopback = nix::net::if_::if_nametoindex("lo")
            .map_err(|error| KernelError::netlink("find the interface lo", error.into()))?;
        match self.handle.route().add(local_route(family, route.table, loopback)).execute().await {
            Ok(()) => Ok(true),
            Err(error) if errno(&error) == Some(Errno::EEXIST) => Ok(false),
            Err(error) if errno(&error) == Some(Errno::ENETDOWN) => Err(KernelError::LoopbackDown),
            // IPv6 is switched off on it (`disable_ipv6`). Without the route a marked packet goes on to the lockdown.
            Err(error) if *family == IpVersion::V6 && errno(&error) == Some(Errno::EACCES) => Ok(false),
            Err(error) => Err(failed(&format!("add the route \"{route}\""))(error)),
        }
    }

    /// Whether it was there.
    async fn delete_route(&self, family: &IpVersion) -> Result<bool, KernelError> {
        let Ok(loopback) = nix::net::if_::if_nametoindex("lo") else { return Ok(false) };
        match self.handle.route().del(local_route(family, LOCAL_TABLE, loopback)).execute().await {
            Ok(()) => Ok(true),
            // No such route, no such table, or the interface is down and took its routes along.
            Err(error) if matches!(errno(&error), Some(Errno::ESRCH | Errno::ENOENT | Errno::ENETDOWN)) => Ok(false),
            Err(error) => Err(failed("delete the local route")(error)),
        }
    }
}

/// A rule of decider's in the kernel: what it means, if decider could have made it, and as the kernel said it.
type OwnRule = (Option<RoutingRule>, RuleMessage);

fn is_bridge(link: &LinkMessage) -> bool {
    let infos = link.attributes.iter().filter_map(|attribute| match attribute {
        LinkAttribute::LinkInfo(infos) => Some(infos),
        _ => None,
    });
    infos.flatten().any(|info| *info == LinkInfo::Kind(InfoKind::Bridge))
}

fn is_own(message: &RuleMessage) -> bool {
    message.attributes.contains(&RuleAttribute::Protocol(RouteProtocol::from(PROTOCOL)))
}

fn message(rule: &RoutingRule, family: &IpVersion) -> RuleMessage {
    let mut message = RuleMessage::default();
    message.header.family = match family {
        IpVersion::V4 => AddressFamily::Inet,
        IpVersion::V6 => AddressFamily::Inet6,
    };
    message.attributes =
        vec![RuleAttribute::Priority(rule.preference()), RuleAttribute::Protocol(RouteProtocol::from(PROTOCOL))];
    let (action, attributes) = match rule {
        RoutingRule::Listeners { mark, bits, .. } => (
            RuleAction::ToTable,
            vec![RuleAttribute::FwMark(mark.0), RuleAttribute::FwMask(*bits), RuleAttribute::Table(LOCAL_TABLE)],
        ),
        RoutingRule::Direct { mark, bits } => (
            RuleAction::Goto,
            vec![RuleAttribute::FwMark(mark.0), RuleAttribute::FwMask(*bits), RuleAttribute::Goto(preference::BEHIND)],
        ),
        RoutingRule::Lockdown { interface } => {
            (RuleAction::Unreachable, vec![RuleAttribute::Iifname(interface.clone())])
        }
        RoutingRule::Behind => (RuleAction::Nop, vec![]),
    };
    message.header.action = action;
    message.attributes.extend(attributes);
    message
}

/// What a rule in the kernel means; none if decider would not have made it so.
fn read(message: &RuleMessage) -> Option<RoutingRule> {
    let mut found = (None, None, None, None, None, None);
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Priority(value) => found.0 = Some(*value),
            RuleAttribute::FwMark(value) => found.1 = Some(crate::model::Mark(*value)),
            RuleAttribute::FwMask(value) => found.2 = Some(*value),
            RuleAttribute::Table(value) => found.3 = Some(*value),
            RuleAttribute::Goto(value) => found.4 = Some(*value),
            RuleAttribute::Iifname(value) => found.5 = Some(value.clone()),
            RuleAttribute::Protocol(_) | RuleAttribute::SuppressPrefixLen(_) => {}
            _ => return None,
        }
    }
    let (preference, mark, bits, table, target, interface) = found;
    let rule = match message.header.action {
        RuleAction::ToTable if table == Some(LOCAL_TABLE) => {
            RoutingRule::Listeners { preference: preference?, mark: mark?, bits: bits? }
        }
        RuleAction::Goto if target == Some(preference::BEHIND) => RoutingRule::Direct { mark: mark?, bits: bits? },
        RuleAction::Unreachable => RoutingRule::Lockdown { interface: interface? },
        RuleAction::Nop => RoutingRule::Behind,
        _ => return None,
    };
    (Some(rule.preference()) == preference).then_some(rule)
}

fn local_route(family: &IpVersion, table: u32, loopback: u32) -> RouteMessage {
    match family {
        IpVersion::V4 => fill(RouteMessageBuilder::<Ipv4Addr>::new(), table, loopback),
        IpVersion::V6 => fill(RouteMessageBuilder::<Ipv6Addr>::new(), table, loopback),
    }
}

fn fill<T>(builder: RouteMessageBuilder<T>, table: u32, loopback: u32) -> RouteMessage {
    builder
        .table_id(table)
        .protocol(RouteProtocol::from(PROTOCOL))
        .scope(RouteScope::Host)
        .kind(RouteType::Local)
        .output_interface(loopback)
        .build()
}

pub(super) fn errno(error: &rtnetlink::Error) -> Option<Errno> {
    match error {
        rtnetlink::Error::NetlinkError(message) => message.to_io().raw_os_error().map(Errno::from_raw),
        _ => None,
    }
}

pub(super) fn failed(operation: &str) -> impl FnOnce(rtnetlink::Error) -> KernelError {
    let operation = operation.to_owned();
    move |error| {
        let source = match &error {
            rtnetlink::Error::NetlinkError(message) => message.to_io(),
            _ => io::Error::other(error.to_string()),
        };
        KernelError::netlink(operation, source)
    }
}

/// The names of the interfaces there are.
#[must_use]
pub fn interface_names() -> Vec<String> {
    let interfaces = nix::net::if_::if_nameindex();
    let names = interfaces.iter().flat_map(|all| all.iter());
    names.map(|interface| interface.name().to_string_lossy().into_owned()).collect()
}
