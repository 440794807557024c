use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::processes;

/// A TCP socket that listens.
pub struct Listening {
    pub address: SocketAddr,
    inode: u64,
}

/// `TCP_LISTEN` (`net/tcp_states.h`), as /proc/net/tcp writes it.
const LISTEN: &str = "0A";

/// All of this network namespace.
pub fn listening() -> Vec<Listening> {
    let texts = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
    texts.iter().flat_map(|text| text.lines()).filter_map(line).collect()
}

impl Listening {
    /// The process and its name, as far as this user may see it.
    pub fn owner(&self) -> Option<(u32, String)> {
        let wanted = format!("socket:[{}]", self.inode);
        let has_it = |pid: &u32| {
            let files = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            files.filter_map(|file| std::fs::read_link(file.path()).ok()).any(|link| link.as_os_str() == &*wanted)
        };
        let pid = processes::all().find(has_it)?;
        Some((pid, processes::name(pid)?))
    }
}

/// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...`
fn line(line: &str) -> Option<Listening> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
    let (address, port) = local.split_once(':')?;
    let address = SocketAddr::new(ip(address)?, u16::from_str_radix(port, 16).ok()?);
    (*state == LISTEN).then_some(Listening { address, inode: inode.parse().ok()? })
}

/// Words of 32 bits as this machine writes them.
fn ip(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(hex.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    if hex.len() == 8 {
        return Some(Ipv4Addr::from(word(0)?).into());
    }
    let mut octets = [0; 16];
    for (part, at) in octets.chunks_exact_mut(4).zip([0, 8, 16, 24]) {
        part.copy_from_slice(&word(at)?);
    }
    Some(Ipv6Addr::from(octets).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn a_line_of_the_kernel_is_read() {
        let v4 = "   0: 0100007F:3AFC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0";
        let found = line(v4).unwrap();
        assert_eq!((found.address, found.inode), ("127.0.0.1:15100".parse().unwrap(), 4711));
        let v6 =
            "   1: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 12 1";
        assert_eq!(line(v6).unwrap().address, "[::1]:22".parse().unwrap());
        assert!(line(&v4.replace(" 0A ", " 01 ")).is_none());
        assert!(line("  sl  local_address rem_address   st").is_none());
    }
}
