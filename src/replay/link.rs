/// Why a captured frame holds no IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoIp {
    /// It is something else: ARP, for one.
    Other,
    /// Its link's header is not all there.
    Cut,
    /// Nobody here knows its link type.
    UnknownLink(u16),
}

/// Link types (tcpdump.org, "Link-layer header types").
const NULL: u16 = 0;
const ETHERNET: u16 = 1;
const RAW_OF_BSD: [u16; 2] = [12, 14];
const RAW: u16 = 101;
const LOOP: u16 = 108;
const LINUX_SLL: u16 = 113;
const IPV4: u16 = 228;
const IPV6: u16 = 229;
const LINUX_SLL2: u16 = 276;

/// Protocols by their numbers in Ethernet (IEEE 802 numbers).
const IP_PROTOCOLS: [u16; 2] = [0x0800, 0x86dd];
const VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Tags in a row that are looked behind.
const MOST_TAGS: usize = 4;

/// The IP packet in a frame of that link type: Ethernet with its VLAN tags, raw IP, "cooked" captures of Linux (of the
/// interface `any`) of both versions, loopback of BSD.
///
/// # Errors
/// Why there is none.
pub fn ip(link: u16, frame: &[u8]) -> Result<&[u8], NoIp> {
    match link {
        ETHERNET => behind(frame, 12, 14),
        LINUX_SLL => behind(frame, 14, 16),
        LINUX_SLL2 => behind(frame, 0, 20),
        NULL | LOOP => version_of(frame.get(4..).ok_or(NoIp::Cut)?),
        RAW | IPV4 | IPV6 => version_of(frame),
        bsd if RAW_OF_BSD.contains(&bsd) => version_of(frame),
        unknown => Err(NoIp::UnknownLink(unknown)),
    }
}

/// What is behind a header that ends at `end` and has the protocol at `at`.
fn behind(frame: &[u8], at: usize, end: usize) -> Result<&[u8], NoIp> {
    let mut protocol = number(frame, at)?;
    let mut rest = frame.get(end..).ok_or(NoIp::Cut)?;
    for _ in 0..MOST_TAGS {
        if !VLAN.contains(&protocol) {
            break;
        }
        protocol = number(rest, 2)?;
        rest = rest.get(4..).ok_or(NoIp::Cut)?;
    }
    if IP_PROTOCOLS.contains(&protocol) { version_of(rest) } else { Err(NoIp::Other) }
}

fn number(bytes: &[u8], at: usize) -> Result<u16, NoIp> {
    match bytes.get(at..at + 2) {
        Some(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
        _ => Err(NoIp::Cut),
    }
}

fn version_of(packet: &[u8]) -> Result<&[u8], NoIp> {
    match packet.first().map(|first| first >> 4) {
        Some(4 | 6) => Ok(packet),
        Some(_) => Err(NoIp::Other),
        None => Err(NoIp::Cut),
    }
}
