use std::net::IpAddr;

use super::DnsError;

/// Keys of the parameters that hold addresses (RFC 9460, 14.3.2).
const IPV4_HINT: u16 = 4;
const IPV6_HINT: u16 = 6;
/// Octets of a label at most; above that a length is a compression pointer, which has no place here (RFC 9460, 2.2).
const MAX_LABEL: u8 = 63;

/// The addresses that the data of an SVCB or HTTPS record hint at; none in the form that is but an alias.
///
/// # Errors
/// If the data are not laid out as RFC 9460, 2.2 says.
pub(super) fn hints(data: &[u8]) -> Result<Vec<IpAddr>, DnsError> {
    let mut rest = data;
    let priority = number(&mut rest)?;
    skip_name(&mut rest)?;
    let mut found = Vec::new();
    let mut last_key = None;
    while !rest.is_empty() {
        let (key, length) = (number(&mut rest)?, number(&mut rest)?);
        let value = take(&mut rest, usize::from(length))?;
        if last_key.is_some_and(|last| last >= key) {
            return Err(DnsError::RecordData);
        }
        last_key = Some(key);
        match key {
            IPV4_HINT => found.extend(each::<4>(value)?),
            IPV6_HINT => found.extend(each::<16>(value)?),
            _ => {}
        }
    }
    // Parameters of an alias are to be ignored (RFC 9460, 2.4.2).
    Ok(if priority == 0 { Vec::new() } else { found })
}

/// A value that is a list of addresses, at least one of them.
fn each<const N: usize>(value: &[u8]) -> Result<impl Iterator<Item = IpAddr>, DnsError>
where
    IpAddr: From<[u8; N]>,
{
    match value.as_chunks::<N>() {
        ([], _) | (_, [_, ..]) => Err(DnsError::RecordData),
        (addresses, []) => Ok(addresses.iter().map(|&octets| octets.into())),
    }
}

fn skip_name(rest: &mut &[u8]) -> Result<(), DnsError> {
    loop {
        let &[length] = take(rest, 1)? else { return Err(DnsError::RecordData) };
        if length > MAX_LABEL {
            return Err(DnsError::RecordData);
        }
        if length == 0 {
            return Ok(());
        }
        take(rest, usize::from(length))?;
    }
}

fn number(rest: &mut &[u8]) -> Result<u16, DnsError> {
    take(rest, 2)?.try_into().map(u16::from_be_bytes).map_err(|_| DnsError::RecordData)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], DnsError> {
    let (taken, behind) = rest.split_at_checked(count).ok_or(DnsError::RecordData)?;
    *rest = behind;
    Ok(taken)
}
