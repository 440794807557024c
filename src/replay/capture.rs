use std::io::{self, ErrorKind, Read};

use pcap_parser::traits::{PcapNGPacketBlock, PcapReaderIterator};
use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};

use crate::model::Moment;

/// Bytes that are read at a time; most blocks fit.
const BUFFER: usize = 1 << 20;
/// A block may be this long: the longest packet that capture programs write takes 256 KiB.
const LONGEST: usize = 1 << 24;
/// Interfaces of a section that are remembered.
const INTERFACES: usize = 65_536;
const NANOS: u64 = 1_000_000_000;
const MICROS: u64 = 1_000_000;
/// The lower bits of a pcap header's link type; above them it says how long the frame check sequence is.
const LINK_TYPE: i32 = 0xffff;

/// A packet of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Captured<'a> {
    /// When, by the capture's clock: since the beginning of 1970.
    pub at: Moment,
    /// The link type (`LINKTYPE_`, as registered by tcpdump.org).
    pub link: u16,
    /// From the link's header on, as far as it was copied.
    pub bytes: &'a [u8],
    /// Whether there was more of it.
    pub is_cut: bool,
}

/// Why a capture cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file begins as no capture does.
    #[error("it is no capture: neither pcap nor pcapng")]
    NotACapture,
    /// It ends within a packet, as when its writer was stopped.
    #[error("it ends within a packet")]
    CutOff,
    /// What it says contradicts itself.
    #[error("it is damaged behind byte {0}")]
    Damaged(usize),
    /// The system's answer.
    #[error("{0}")]
    System(io::Error),
}

/// A capture file, read as a stream: pcap (of micro- and nanoseconds, both byte orders) and pcapng. Takes 16 MiB at most.
pub struct Capture<'r> {
    reader: Box<dyn PcapReaderIterator + Send + 'r>,
    /// Those of the section.
    interfaces: Vec<Interface>,
    room: usize,
}

/// How an interface's packets are written down.
#[derive(Clone, Copy)]
struct Interface {
    link: u16,
    /// Units of time a second.
    resolution: u64,
    /// Seconds to be added.
    offset: i64,
}

/// What is to be done before there is a packet.
enum Need {
    More,
    Room,
}

impl<'r> Capture<'r> {
    /// Reads the beginning.
    ///
    /// # Errors
    /// If it is no capture, or cannot be read.
    pub fn open(file: impl Read + Send + 'r) -> Result<Self, CaptureError> {
        let mut file = Filling(file);
        let mut beginning = [0; 4];
        let length = file.read(&mut beginning).map_err(CaptureError::System)?;
        let whole = Filling(io::Cursor::new(beginning).take(length as u64).chain(file));
        let reader = create_reader(BUFFER, whole).map_err(|_| CaptureError::NotACapture)?;
        Ok(Self { reader, interfaces: Vec::new(), room: BUFFER })
    }

    /// Gives the packets one after the other to `take`, up to the end.
    ///
    /// # Errors
    /// Why it cannot be read to its end. What came before has been taken.
    pub fn each(&mut self, mut take: impl FnMut(Captured<'_>)) -> Result<(), CaptureError> {
        loop {
            let need = match self.reader.next() {
                Ok((length, block)) => {
                    if let Some(captured) = captured(&mut self.interfaces, &block) {
                        take(captured);
                    }
                    self.reader.consume(length);
                    continue;
                }
                Err(PcapError::Eof) => return Ok(()),
                Err(PcapError::Incomplete(_)) => Need::More,
                Err(PcapError::BufferTooSmall) => Need::Room,
                Err(PcapError::UnexpectedEof) => return Err(CaptureError::CutOff),
                Err(PcapError::ReadError) => return Err(CaptureError::System(ErrorKind::Other.into())),
                Err(_) => return Err(CaptureError::Damaged(self.reader.consumed())),
            };
            self.read_on(&need)?;
        }
    }

    fn read_on(&mut self, need: &Need) -> Result<(), CaptureError> {
        if let Need::Room = need {
            if self.room >= LONGEST {
                return Err(CaptureError::Damaged(self.reader.consumed()));
            }
            self.room *= 2;
            self.reader.grow(self.room);
        }
        self.reader.refill().map_err(|_| CaptureError::System(ErrorKind::Other.into()))
    }
}

/// The packet of a block, if it has one; notes what a block says of an interface.
fn captured<'b>(interfaces: &mut Vec<Interface>, block: &'b PcapBlockOwned<'_>) -> Option<Captured<'b>> {
    match block {
        PcapBlockOwned::LegacyHeader(header) => {
            let resolution = if header.is_nanosecond_precision() { NANOS } else { MICROS };
            interfaces.push(Interface { link: link(Linktype(header.network.0 & LINK_TYPE)), resolution, offset: 0 });
            None
        }
        PcapBlockOwned::Legacy(packet) => {
            let interface = interfaces.first()?;
            let ticks = u64::from(packet.ts_sec).saturating_mul(interface.resolution);
            let at = interface.moment(ticks.saturating_add(packet.ts_usec.into()));
            let is_cut = packet.caplen < packet.origlen;
            Some(Captured { at, link: interface.link, bytes: packet.data, is_cut })
        }
        PcapBlockOwned::NG(Block::SectionHeader(_)) => {
            interfaces.clear();
            None
        }
        PcapBlockOwned::NG(Block::InterfaceDescription(told)) if interfaces.len() < INTERFACES => {
            let resolution = told.ts_resolution().filter(|resolution| *resolution > 0).unwrap_or(MICROS);
            interfaces.push(Interface { link: link(told.linktype), resolution, offset: told.if_tsoffset });
            None
        }
        PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
            let interface = interfaces.get(usize::try_from(packet.if_id).ok()?)?;
            let at = interface.moment(u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low));
            let is_cut = packet.caplen < packet.origlen;
            Some(Captured { at, link: interface.link, bytes: packet.packet_data(), is_cut })
        }
        // It has no time: such a capture has one moment only.
        PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
            let bytes = packet.packet_data();
            let is_cut = bytes.len() < usize::try_from(packet.origlen).unwrap_or(usize::MAX);
            Some(Captured { at: Moment::ZERO, link: interfaces.first()?.link, bytes, is_cut })
        }
        PcapBlockOwned::NG(_) => None,
    }
}

fn link(told: Linktype) -> u16 {
    u16::try_from(told.0).unwrap_or(u16::MAX)
}

impl Interface {
    fn moment(&self, ticks: u64) -> Moment {
        let nanos = u128::from(ticks) * u128::from(NANOS) / u128::from(self.resolution.max(1));
        let nanos =
            i128::try_from(nanos).unwrap_or(i128::MAX).saturating_add(i128::from(self.offset) * i128::from(NANOS));
        Moment::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
    }
}

/// Fills what it is given, as far as there is anything: the parser takes a short read at the beginning for a short file.
struct Filling<R>(R);

impl<R: Read> Read for Filling<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.0.read(rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}
