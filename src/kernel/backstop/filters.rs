use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt};
use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::tc::{
    TcAttribute, TcBpfFlags, TcFilterBpf, TcFilterBpfOption, TcHandle, TcHeader, TcMessage, TcOption,
};
use nix::errno::Errno;
use rtnetlink::Handle;

use crate::kernel::KernelError;
use crate::kernel::links::links;
use crate::kernel::names::backstop::{HANDLE, NAME, NAME_WITH_QDISC, PREFERENCE};
use crate::kernel::routing::{errno, failed};

use super::loader::Loaded;
use super::plan::Link;

/// The queueing discipline that a filter for what goes out needs, and that queues nothing.
const CLSACT: &str = "clsact";
/// What leaves by an interface: `clsact`, the half for what goes out.
const EGRESS: TcHandle = TcHandle { major: TcHandle::CLSACT.major, minor: TcHandle::MIN_EGRESS };
/// `clsact`, the half for what comes in.
const INGRESS: TcHandle = TcHandle { major: TcHandle::CLSACT.major, minor: TcHandle::MIN_INGRESS };
/// `ETH_P_ALL` (`linux/if_ether.h`), in network order.
const EVERY_PROTOCOL: u16 = 3_u16.to_be();

/// The filters of traffic control that are decider's.
pub struct Filters {
    handle: Handle,
    /// The interfaces, by index, whose `clsact` decider made: somebody may delete the filter that says so and leave that.
    made: BTreeSet<i32>,
}

/// A filter of decider's in the kernel.
struct Own {
    tag: Option<[u8; 8]>,
    acts: bool,
    /// Whether it says that decider made the `clsact` that it is in.
    made_qdisc: bool,
}

/// Removes every backstop of decider; says in words what there was. Must be called in a tokio runtime.
///
/// # Errors
/// What the kernel refuses.
pub async fn remove_filters() -> Result<Vec<String>, KernelError> {
    let filters = Filters::connect()?;
    let removed = filters.remove_all(&links()?).await?;
    Ok(if removed.is_empty() { vec![] } else { vec![format!("the backstop of {}", removed.join(", "))] })
}

impl Filters {
    /// Opens the socket; its task ends with this. Must be called in a tokio runtime.
    pub fn connect() -> Result<Self, KernelError> {
        let (connection, handle, _) =
            rtnetlink::new_connection().map_err(|source| KernelError::netlink("open a routing socket", source))?;
        tokio::spawn(connection);
        Ok(Self { handle, made: BTreeSet::new() })
    }

    /// Puts the program on an interface if it is not there; says whether it was not. An interface that has gone needs none.
    pub async fn ensure(&mut self, link: &Link, program: &Loaded) -> Result<bool, KernelError> {
        let own = self.own(link).await?;
        if own.as_ref().is_some_and(|own| own.made_qdisc) {
            self.made.insert(link.index);
        }
        if own.as_ref().is_some_and(|own| own.acts && own.tag == Some(program.tag)) {
            return Ok(false);
        }
        match self.put(link, program).await {
            Err(error) if errno(&error) == Some(Errno::ENODEV) => Ok(false),
            Err(error) if errno(&error) == Some(Errno::EEXIST) => {
                Err(KernelError::IngressQdisc { interface: link.name.clone() })
            }
            result => result.map(|()| true).map_err(failed(&format!("put the backstop on {}", link.name))),
        }
    }

    /// Removes what is decider's; says from which interfaces.
    pub async fn remove_all(&self, links: &[Link]) -> Result<Vec<String>, KernelError> {
        let mut removed = Vec::new();
        for link in links {
            let Some(own) = self.own(link).await? else { continue };
            let message = self.remove(link, &own).await;
            match message {
                // It has gone meanwhile.
                Err(error) if matches!(errno(&error), Some(Errno::ENOENT | Errno::ENODEV | Errno::EINVAL)) => {}
                result => result.map_err(failed(&format!("remove the backstop of {}", link.name)))?,
            }
            removed.push(link.name.clone());
        }
        Ok(removed)
    }

    async fn put(&mut self, link: &Link, program: &Loaded) -> Result<(), rtnetlink::Error> {
        match self.request(RouteNetlinkMessage::NewQueueDiscipline(clsact(link)), NLM_F_CREATE | NLM_F_EXCL).await {
            // With `ingress` in its place the filter would be taken, and be asked of what comes in.
            Err(error) if errno(&error) == Some(Errno::EEXIST) && self.has_clsact(link).await? => {}
            result => {
                result?;
                self.made.insert(link.index);
            }
        }
        let name = if self.made.contains(&link.index) { NAME_WITH_QDISC } else { NAME };
        let mut message = filter(link);
        message.attributes = vec![
            TcAttribute::Kind(TcFilterBpf::KIND.to_owned()),
            TcAttribute::Options(
                [
                    TcFilterBpfOption::ProgFd(program.descriptor().unwrap_or(u32::MAX)),
                    TcFilterBpfOption::ProgName(name.to_owned()),
                    TcFilterBpfOption::Flags(TcBpfFlags::DirectAction),
                ]
                .map(TcOption::Bpf)
                .to_vec(),
            ),
        ];
        // Without NLM_F_EXCL it takes the place of another program of the same number at once.
        self.request(RouteNetlinkMessage::NewTrafficFilter(message), NLM_F_CREATE).await
    }

    async fn remove(&self, link: &Link, own: &Own) -> Result<(), rtnetlink::Error> {
        self.request(RouteNetlinkMessage::DelTrafficFilter(filter(link)), 0).await?;
        let is_used = !self.listed(link, EGRESS).await?.is_empty() || !self.listed(link, INGRESS).await?.is_empty();
        if (own.made_qdisc || self.made.contains(&link.index)) && !is_used {
            self.request(RouteNetlinkMessage::DelQueueDiscipline(clsact(link)), 0).await?;
        }
        Ok(())
    }

    async fn has_clsact(&self, link: &Link) -> Result<bool, rtnetlink::Error> {
        let all: Vec<TcMessage> = self.handle.clone().qdisc().get().execute().try_collect().await?;
        let is_clsact = TcAttribute::Kind(CLSACT.to_owned());
        Ok(all.iter().any(|qdisc| qdisc.header.index == link.index && qdisc.attributes.contains(&is_clsact)))
    }

    async fn own(&self, link: &Link) -> Result<Option<Own>, KernelError> {
        match self.listed(link, EGRESS).await {
            // No traffic control here, or the interface has gone.
            Err(error) if matches!(errno(&error), Some(Errno::EOPNOTSUPP | Errno::ENODEV | Errno::EINVAL)) => Ok(None),
            Err(error) => Err(failed(&format!("list the filters of {}", link.name))(error)),
            Ok(all) => Ok(all.iter().find_map(read)),
        }
    }

    async fn listed(&self, link: &Link, parent: TcHandle) -> Result<Vec<TcMessage>, rtnetlink::Error> {
        let request = self.handle.clone().traffic_filter(link.index).get();
        let request = if parent == EGRESS { request.egress() } else { request.ingress() };
        request.execute().try_collect().await
    }

    async fn request(&self, message: RouteNetlinkMessage, flags: u16) -> Result<(), rtnetlink::Error> {
        let mut request = NetlinkMessage::from(message);
        request.header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        let mut answers = self.handle.clone().request(request)?;
        while let Some(answer) = answers.next().await {
            if let NetlinkPayload::Error(error) = answer.payload
                && error.code.is_some()
            {
                return Err(rtnetlink::Error::NetlinkError(error));
            }
        }
        Ok(())
    }
}

fn clsact(link: &Link) -> TcMessage {
    let header = TcHeader {
        index: link.index,
        handle: TcHandle { major: TcHandle::CLSACT.major, minor: 0 },
        parent: TcHandle::CLSACT,
        ..TcHeader::default()
    };
    TcMessage::from_parts(header, vec![TcAttribute::Kind(CLSACT.to_owned())])
}

fn filter(link: &Link) -> TcMessage {
    let header = TcHeader {
        index: link.index,
        handle: TcHandle::from(HANDLE),
        parent: EGRESS,
        info: TcHandle { major: PREFERENCE, minor: EVERY_PROTOCOL }.into(),
        ..TcHeader::default()
    };
    TcMessage::from_parts(header, vec![TcAttribute::Kind(TcFilterBpf::KIND.to_owned())])
}

/// What a filter in the kernel is, if it is decider's: it has our number, and one of our names.
fn read(message: &TcMessage) -> Option<Own> {
    let is_ours =
        message.header.handle == TcHandle::from(HANDLE) && TcHandle::from(message.header.info).major == PREFERENCE;
    let options = message.attributes.iter().find_map(|attribute| match attribute {
        TcAttribute::Options(options) => Some(options),
        _ => None,
    })?;
    let (mut own, mut name) = (Own { tag: None, acts: false, made_qdisc: false }, None);
    for option in options {
        match option {
            TcOption::Bpf(TcFilterBpfOption::ProgName(found)) => name = Some(found.as_str()),
            TcOption::Bpf(TcFilterBpfOption::ProgTag(tag)) => own.tag = Some(*tag),
            TcOption::Bpf(TcFilterBpfOption::Flags(flags)) => own.acts = flags.contains(TcBpfFlags::DirectAction),
            _ => {}
        }
    }
    own.made_qdisc = name == Some(NAME_WITH_QDISC);
    (is_ours && matches!(name, Some(NAME | NAME_WITH_QDISC))).then_some(own)
}
