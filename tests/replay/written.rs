//! Capture files.

pub const ETHERNET: u16 = 1;
pub const RAW: u16 = 101;

/// When the captures begin, in seconds since 1970: 2026-01-01.
pub const BEGIN: u64 = 1_767_225_600;

/// A packet with the milliseconds since the beginning, and the length that it had before it was cut.
#[derive(Clone)]
pub struct Frame {
    pub millis: u64,
    pub bytes: Vec<u8>,
    pub length: usize,
}

impl Frame {
    pub fn new(millis: u64, bytes: Vec<u8>) -> Self {
        Self { millis, length: bytes.len(), bytes }
    }
}

/// How numbers are written.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    Little,
    Big,
}

impl Order {
    fn long(self, number: u32) -> [u8; 4] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    fn short(self, number: u16) -> [u8; 2] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap()
}

/// A file as tcpdump writes it, with times of micro- or nanoseconds.
pub fn pcap(order: Order, nanos: bool, link: u16, frames: &[Frame]) -> Vec<u8> {
    let (magic, unit) = if nanos { (0xa1b2_3c4d, 1_000_000) } else { (0xa1b2_c3d4, 1_000) };
    let mut file = order.long(magic).to_vec();
    file.extend([order.short(2), order.short(4)].concat());
    file.extend([0, 0, 262_144, u32::from(link)].map(|number| order.long(number)).concat());
    for frame in frames {
        let seconds = u32::try_from(BEGIN + frame.millis / 1000).unwrap();
        let fraction = u32::try_from(frame.millis % 1000).unwrap() * unit;
        let lengths = [length(frame.bytes.len()), length(frame.length)];
        file.extend([seconds, fraction, lengths[0], lengths[1]].map(|number| order.long(number)).concat());
        file.extend(&frame.bytes);
    }
    file
}

/// A file as Wireshark writes it: one section, one interface, times of nanoseconds.
pub fn pcapng(order: Order, link: u16, frames: &[Frame]) -> Vec<u8> {
    let section = [&order.long(0x1a2b_3c4d)[..], &order.short(1), &order.short(0), &[0xff; 8]].concat();
    // Option 9, `if_tsresol`: 10^-9.
    let resolution = [&order.short(9)[..], &order.short(1), &[9, 0, 0, 0], &[0; 4]].concat();
    let interface = [&order.short(link)[..], &[0, 0], &order.long(262_144), &resolution].concat();
    let mut file = [block(order, 0x0a0d_0d0a, &section), block(order, 1, &interface)].concat();
    for frame in frames {
        let nanos = BEGIN * 1_000_000_000 + frame.millis * 1_000_000;
        let [high, low] = [nanos >> 32, nanos & 0xffff_ffff].map(|half| u32::try_from(half).unwrap());
        let lengths = [length(frame.bytes.len()), length(frame.length)];
        let mut body = [0, high, low, lengths[0], lengths[1]].map(|number| order.long(number)).concat();
        body.extend(&frame.bytes);
        body.resize(body.len().next_multiple_of(4), 0);
        file.extend(block(order, 6, &body));
    }
    file
}

/// A packet on each of two interfaces, which differ in link type, unit of time and seconds to be added; each 7 units after the
/// beginning of 1970.
pub fn pcapng_of_two(order: Order, packet: [u8; 4]) -> Vec<u8> {
    let section = [&order.long(0x1a2b_3c4d)[..], &order.short(1), &order.short(0), &[0xff; 8]].concat();
    let interface = |link: u16, options: &[u8]| {
        block(order, 1, &[&order.short(link)[..], &[0, 0], &order.long(262_144), options].concat())
    };
    // Option 9, `if_tsresol`: 10^-3. Option 14, `if_tsoffset`, of 8 bytes.
    let resolution = [&order.short(9)[..], &order.short(1), &[3, 0, 0, 0]].concat();
    let seconds = match order {
        Order::Little => 5_u64.to_le_bytes(),
        Order::Big => 5_u64.to_be_bytes(),
    };
    let offset = [&order.short(14)[..], &order.short(8), &seconds, &[0; 4]].concat();
    let of = |number: u32| {
        let head = [number, 0, 7, 4, 4].map(|number| order.long(number)).concat();
        block(order, 6, &[&head[..], &packet].concat())
    };
    let interfaces = [interface(ETHERNET, &[]), interface(RAW, &[resolution, offset].concat())].concat();
    [block(order, 0x0a0d_0d0a, &section), interfaces, of(0), of(1)].concat()
}

/// A block of pcapng: its length stands in front and behind.
fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let length = order.long(length(body.len() + 12));
    [&order.long(kind)[..], &length, body, &length].concat()
}

/// An IP packet in a frame of that link type.
pub fn framed(link: u16, packet: &[u8]) -> Vec<u8> {
    let is_v4 = packet[0] >> 4 == 4;
    let protocol: [u8; 2] = if is_v4 { [0x08, 0x00] } else { [0x86, 0xdd] };
    let header = match link {
        ETHERNET => [&[2; 12][..], &protocol].concat(),
        // The family as the machine writes it: `AF_INET`, and `AF_INET6` of FreeBSD.
        0 => vec![if is_v4 { 2 } else { 28 }, 0, 0, 0],
        108 => vec![0, 0, 0, if is_v4 { 2 } else { 28 }],
        113 => [&[0; 14][..], &protocol].concat(),
        276 => [&protocol[..], &[0; 18]].concat(),
        _ => vec![],
    };
    [&header, packet].concat()
}
