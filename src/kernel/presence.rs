use std::io;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, Cmp, DataAttribute, Expressions, Hook, HookNumber, Immediate, InetHookNumber, Meta,
    MetaKey, NfTablesMessage, Operator, Register, RuleAttribute, RuleMessage, TableAttribute, TableFlags, TableMessage,
};

use super::KernelError;
use super::names::{ALIVE_CHAIN, ALIVE_TABLE};
use super::nft_socket::{NftSocket, Part};
use super::ruleset::Attendance;
use crate::model::Mark;

/// A table that belongs to this process: nobody else can change it, `nft flush ruleset` leaves it alone, and the kernel deletes
/// it the moment that the process ends, however it does.
pub struct Presence {
    socket: NftSocket,
    shown: Option<Attendance>,
}

impl Presence {
    /// Nothing is there yet.
    ///
    /// # Errors
    /// If there is no socket to be had.
    pub fn open() -> Result<Self, KernelError> {
        let failed = |source| KernelError::netlink("open a socket for the fast path", source);
        NftSocket::open().map(|socket| Self { socket, shown: None }).map_err(failed)
    }

    /// Whether the kernel has such tables. Changes nothing.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn probe() -> io::Result<()> {
        NftSocket::open()?.check(vec![table("decider_probe")])
    }

    /// From its return on the table does this, and nothing else; without anything to do it is not there.
    ///
    /// # Errors
    /// What the kernel refuses. Then it is as before.
    pub fn show(&mut self, attendance: Option<Attendance>) -> Result<(), KernelError> {
        if self.shown == attendance {
            return Ok(());
        }
        let gone = self.shown.map(|_| removal());
        let new = attendance.into_iter().flat_map(|attendance| [table(ALIVE_TABLE), chain(), rule(attendance)]);
        let parts = gone.into_iter().chain(new).collect();
        let what = format!("make the table inet {ALIVE_TABLE} (is there one of another program?)");
        self.socket.commit(parts).map_err(|source| KernelError::netlink(what, source))?;
        self.shown = attendance;
        Ok(())
    }
}

fn table(name: &str) -> Part {
    let attributes = vec![TableAttribute::Name(name.to_owned()), TableAttribute::Flags(TableFlags::Owner)];
    new(NfTablesMessage::NewTable(TableMessage { attributes }))
}

fn removal() -> Part {
    let attributes = vec![TableAttribute::Name(ALIVE_TABLE.to_owned())];
    Part { message: NfTablesMessage::DeleteTable(TableMessage { attributes }), flags: 0 }
}

fn chain() -> Part {
    let hook = vec![
        Hook::Number(HookNumber::Inet(InetHookNumber::PreRouting)),
        Hook::Priority(Attendance::PRIORITY.cast_unsigned()),
    ];
    let attributes = vec![
        ChainAttribute::Table(ALIVE_TABLE.to_owned()),
        ChainAttribute::Name(ALIVE_CHAIN.to_owned()),
        ChainAttribute::Hook(hook),
        ChainAttribute::Type("filter".to_owned()),
    ];
    new(NfTablesMessage::NewChain(ChainMessage { attributes }))
}

/// `meta mark WAITING meta mark set ATTENDED`
fn rule(attendance: Attendance) -> Part {
    let register = Register::Reg1;
    let value = |mark: Mark| DataAttribute::Value(mark.0.to_ne_bytes().to_vec());
    let expressions = [
        Expressions::Meta(vec![Meta::Key(MetaKey::Mark), Meta::DestinationRegister(register)]),
        Expressions::Cmp(vec![
            Cmp::SourceRegister(register),
            Cmp::Op(Operator::Equal),
            Cmp::Data(value(attendance.waiting)),
        ]),
        Expressions::Immediate(vec![
            Immediate::DestinationRegister(register),
            Immediate::Data(value(attendance.attended)),
        ]),
        Expressions::Meta(vec![Meta::Key(MetaKey::Mark), Meta::SourceRegister(register)]),
    ];
    let attributes = vec![
        RuleAttribute::Table(ALIVE_TABLE.to_owned()),
        RuleAttribute::Chain(ALIVE_CHAIN.to_owned()),
        RuleAttribute::Expressions(expressions.into_iter().map(Into::into).collect()),
    ];
    new(NfTablesMessage::NewRule(RuleMessage { attributes }))
}

fn new(message: NfTablesMessage) -> Part {
    Part { message, flags: NLM_F_CREATE | NLM_F_EXCL }
}
