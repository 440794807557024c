use crate::model::MarkMask;
use crate::policy::code::Code;
use crate::policy::fields::Fields;
use crate::policy::keys;
use crate::policy::node::Scalar;
use crate::policy::problems::{Fault, shown};
use crate::policy::slots::room;
use crate::policy::spec::{Action, Spec};

/// Reads `marks`, which may be missing.
pub fn check(policy: &Fields<'_, '_>) -> Option<MarkMask> {
    if !policy.has("marks") {
        return Some(MarkMask::default());
    }
    policy.section(&keys::MARKS, "marks")?.or("mask", MarkMask::default(), mask)
}

fn mask(scalar: &Scalar<'_>) -> Result<MarkMask, Fault> {
    let text = &*scalar.text;
    let digits = text.strip_prefix("0x").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let bits = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or_else(|| {
        let message = format!("{} is not a mask of 32 bits in hexadecimal", shown(text));
        let fault = Fault::new(Code::BadMask, message);
        match text.parse::<u32>() {
            Ok(decimal) => fault.help(format!("write \"0x{decimal:08x}\"")),
            Err(_) => fault.help(format!("write `0x` and up to eight digits, as in \"{}\"", MarkMask::default())),
        }
    })?;
    MarkMask::new(bits).ok_or_else(|| {
        let message = format!(
            "{} has {} bits, and decider needs {} at least",
            shown(text),
            bits.count_ones(),
            MarkMask::MIN_BITS
        );
        Fault::new(Code::BadMask, message)
            .help(format!("the default, \"{}\", has room for thousands of rules", MarkMask::default()))
    })
}

/// Tells when there are more rules with a listener than marks or ports.
pub fn check_room(spec: &Spec, policy: &Fields<'_, '_>) {
    let rules = spec.rules.iter().filter(|rule| rule.action == Action::Allow).count();
    let room = room(spec);
    if rules <= usize::try_from(room).unwrap_or(usize::MAX) {
        return;
    }
    let (key, message, help) = if spec.marks.slots() <= room {
        (
            "marks",
            format!("the mask has room for {room} allow rules, and there are {rules}"),
            "give `marks.mask` more bits",
        )
    } else {
        let first = spec.envoy.first_port;
        let message = format!("from port {first} on there are {room} ports for listeners, and {rules} allow rules");
        ("envoy", message, "give `envoy.first_port` a lower number")
    };
    let key = if policy.has(key) { key } else { "rules" };
    policy.problems().error(policy.value_span(key), Fault::new(Code::NoRoom, message).help(help));
}
