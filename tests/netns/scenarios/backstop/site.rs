use std::net::{IpAddr, SocketAddr};

use decider::kernel::{Backstop, BackstopPlan, links};
use decider::model::MarkMask;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::world::{DATABASE, Family, GATEWAY, Namespace, Wire, eventually};

/// A host without decider and somebody far away, and what of the backstop a test wants on it.
pub struct Site {
    pub host: Namespace,
    pub far: Namespace,
    pub wire: Wire,
}

/// The marks that the backstop is made for.
pub fn marks() -> MarkMask {
    MarkMask::new(0xff00_3f00).unwrap()
}

/// Who is far away.
pub fn far(family: Family) -> IpAddr {
    DATABASE.of(family)
}

impl Site {
    pub fn new() -> Self {
        let (host, far) = (Namespace::new(), Namespace::new());
        host.link("wan0", &far, "wan0");
        let [own4, own6] = GATEWAY.both();
        let [far4, far6] = DATABASE.both();
        host.sh(&format!(
            "ip addr add {own4}/24 dev wan0; ip addr add {own6}/64 dev wan0
             ip route add default via 192.0.2.254; ip -6 route add default via 2001:db8:2::fe"
        ));
        far.sh(&format!(
            "ip addr add 192.0.2.254/24 dev wan0; ip addr add 2001:db8:2::fe/64 dev wan0
             ip addr add {far4}/32 dev lo; ip addr add {far6}/128 dev lo"
        ));
        let wire = Wire::watch(&far);
        let site = Self { host, far, wire };
        site.until_reached();
        site.wire.forget();
        site
    }

    /// Both know each other's address on the link from then on.
    fn until_reached(&self) {
        for family in Family::BOTH {
            let datagram = self.socket(family, Type::DGRAM, None, 0);
            eventually("the way to the far side", || {
                let _ = datagram.send_to(b"x", &end(far(family), 9));
                (self.arrived("udp", far(family)) > 0).then_some(())
            });
        }
    }

    /// The same with the backstop on all interfaces.
    pub fn held() -> Self {
        let site = Self::new();
        site.ensure(true);
        site
    }

    /// Brings the backstop to what there are of interfaces, or away; says on how many something changed.
    pub fn ensure(&self, wanted: bool) -> usize {
        let changes = self.with_backstop(async |backstop| backstop.ensure(wanted.then_some(&plan())).await.unwrap());
        changes.followed + changes.repaired
    }

    /// Does something with a backstop in the host.
    pub fn with_backstop<T: Send>(&self, action: impl AsyncFnOnce(&mut Backstop) -> T + Send) -> T {
        self.host.enter(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut backstop = Backstop::connect().unwrap();
                action(&mut backstop).await
            })
        })
    }

    /// Packets that came to the far side by that protocol.
    pub fn arrived(&self, proto: &str, to: IpAddr) -> u64 {
        self.wire.to(to).iter().filter(|flow| flow.proto == proto).map(|flow| flow.packets).sum()
    }

    /// A socket of the host, with a mark.
    pub fn socket(&self, family: Family, kind: Type, protocol: Option<Protocol>, mark: u32) -> Socket {
        socket(&self.host, family, kind, protocol, mark)
    }
}

pub fn socket(inside: &Namespace, family: Family, kind: Type, protocol: Option<Protocol>, mark: u32) -> Socket {
    let domain = match family {
        Family::V4 => Domain::IPV4,
        Family::V6 => Domain::IPV6,
    };
    let socket = inside.enter(|| Socket::new(domain, kind, protocol).unwrap());
    setsockopt(&socket, sockopt::Mark, &mark).unwrap();
    socket
}

pub fn end(address: IpAddr, port: u16) -> SockAddr {
    SocketAddr::new(address, port).into()
}

/// The plan for all interfaces that there are where this is called.
pub fn plan() -> BackstopPlan {
    let links = links().unwrap().into_iter().filter(|link| !link.is_loopback).collect();
    BackstopPlan { marks: marks(), links }
}
