use serde_json::Value;

use super::listing::Rule;

/// A mark that a rule compares or sets: its value, and the bits that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkUse {
    /// The value.
    pub value: u32,
    /// The bits.
    pub bits: u32,
    /// Whether it is set, and not compared.
    pub is_set: bool,
}

/// The marks of packets and connections in a rule.
pub fn marks(rule: &Rule) -> impl Iterator<Item = MarkUse> {
    rule.statements.iter().filter_map(|statement| compared(statement).or_else(|| set(statement)))
}

/// `meta mark 0x1`, `meta mark & 0xff == 0x1`, and `meta mark 0x80000000/1`, which nft makes of a mask of the highest bits.
fn compared(statement: &Value) -> Option<MarkUse> {
    let comparison = statement.get("match")?;
    let left = comparison.get("left")?;
    let right = comparison.get("right")?;
    if let Some(prefix) = right.get("prefix").filter(|_| is_mark(left)) {
        let bits = u32::MAX.checked_shl(32_u32.checked_sub(number(prefix.get("len")?)?)?).unwrap_or(0);
        return Some(MarkUse { value: number(prefix.get("addr")?)?, bits, is_set: false });
    }
    let value = number(right)?;
    let (bits, value) = match left.get("&").and_then(Value::as_array).map(Vec::as_slice) {
        Some([key, bits]) if is_mark(key) => (number(bits)?, value),
        None if is_mark(left) => (u32::MAX, value),
        _ => return None,
    };
    Some(MarkUse { value, bits, is_set: false })
}

/// `meta mark set 0x1`, `meta mark set meta mark | 0x1`, `meta mark set meta mark & 0xff | 0x1`.
fn set(statement: &Value) -> Option<MarkUse> {
    let change = statement.get("mangle")?;
    let value = change.get("value")?;
    if !is_mark(change.get("key")?) {
        return None;
    }
    if let Some(value) = number(value) {
        return Some(MarkUse { value, bits: u32::MAX, is_set: true });
    }
    let pair = |word: &str| Some((value.get(word)?.get(0)?, number(value.get(word)?.get(1)?)?));
    if let Some((inner, added)) = pair("|") {
        let kept = inner.get("&").and_then(|and| number(and.get(1)?)).unwrap_or(u32::MAX);
        return Some(MarkUse { value: added, bits: added | !kept, is_set: true });
    }
    if let Some((inner, added)) = pair("^") {
        let kept = inner.get("&").and_then(|and| number(and.get(1)?)).unwrap_or(u32::MAX);
        return Some(MarkUse { value: added, bits: added | !kept, is_set: true });
    }
    pair("&").map(|(_, kept)| MarkUse { value: 0, bits: !kept, is_set: true })
}

fn is_mark(key: &Value) -> bool {
    let is = |kind: &str| key.get(kind).and_then(|meta| meta.get("key")).and_then(Value::as_str) == Some("mark");
    is("meta") || is("ct")
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}
