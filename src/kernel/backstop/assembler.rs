//! Instructions of the kernel's virtual machine, as far as the backstop needs them
//! (Documentation/bpf/standardization/instruction-set.rst).

use std::fmt;

/// A register: `r0` has what a function gives back, `r1` what it is given; `r6` and `r7` outlive a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    R0 = 0,
    R1 = 1,
    R2 = 2,
    R6 = 6,
    R7 = 7,
}

/// A function of the kernel (`enum bpf_func_id`, linux/bpf.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Helper {
    SkFullsock = 95,
    TcpSock = 96,
    GetNetnsCookie = 122,
}

/// One step of a program. Numbers are compared as 32 bits, without sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<Label> {
    /// `to = from`
    Copy { to: Register, from: Register },
    /// `to = value`
    Set { to: Register, value: i32 },
    /// `to = *(u32 *)(from + offset)`
    Load { to: Register, from: Register, offset: i16 },
    /// `to = *(u64 *)(from + offset)`: a pointer.
    LoadPointer { to: Register, from: Register, offset: i16 },
    /// `to &= bits`
    And { to: Register, bits: u32 },
    /// Calls a function of the kernel.
    Call(Helper),
    /// Goes on at the label if the pointer is null.
    IfNull(Register, Label),
    /// Goes on at the label if the number is this one.
    IfIs(Register, u32, Label),
    /// Goes on at the label if the number is another one.
    IfNot(Register, u32, Label),
    /// Goes on at the label.
    Goto(Label),
    /// Ends the program; `r0` is its answer.
    Exit,
    /// No instruction: where jumps go on.
    Here(Label),
}

/// The bytes of a program, eight for each instruction; none if a jump goes to no label, or too far.
pub fn assemble<Label: Copy + PartialEq>(steps: &[Step<Label>]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(steps.len() * 8);
    let mut position = 0;
    for step in steps {
        let jump = match step {
            Step::IfNull(_, label) | Step::IfIs(_, _, label) | Step::IfNot(_, _, label) | Step::Goto(label) => {
                // Counted from the instruction behind.
                i16::try_from(position_of(steps, *label)? - position - 1).ok()?
            }
            _ => 0,
        };
        if let Some(instruction) = instruction(step, jump) {
            bytes.extend(instruction);
            position += 1;
        }
    }
    Some(bytes)
}

fn position_of<Label: Copy + PartialEq>(steps: &[Step<Label>], wanted: Label) -> Option<i64> {
    let at = steps.iter().position(|step| matches!(step, Step::Here(label) if *label == wanted))?;
    let before = steps.iter().take(at).filter(|step| !matches!(step, Step::Here(_)));
    i64::try_from(before.count()).ok()
}

/// The operation codes: class, kind and source in one.
mod code {
    pub const COPY: u8 = 0xbf;
    pub const SET: u8 = 0xb4;
    pub const LOAD_32: u8 = 0x61;
    pub const LOAD_64: u8 = 0x79;
    pub const AND_32: u8 = 0x54;
    pub const CALL: u8 = 0x85;
    pub const EXIT: u8 = 0x95;
    pub const GOTO: u8 = 0x05;
    pub const IF_IS_64: u8 = 0x15;
    pub const IF_IS_32: u8 = 0x16;
    pub const IF_NOT_32: u8 = 0x56;
}

fn instruction<Label>(step: &Step<Label>, jump: i16) -> Option<[u8; 8]> {
    let zero = Register::R0;
    Some(match *step {
        Step::Copy { to, from } => encode(code::COPY, to, from, 0, 0),
        Step::Set { to, value } => encode(code::SET, to, zero, 0, value),
        Step::Load { to, from, offset } => encode(code::LOAD_32, to, from, offset, 0),
        Step::LoadPointer { to, from, offset } => encode(code::LOAD_64, to, from, offset, 0),
        Step::And { to, bits } => encode(code::AND_32, to, zero, 0, bits.cast_signed()),
        Step::Call(helper) => encode(code::CALL, zero, zero, 0, helper as i32),
        Step::IfNull(register, _) => encode(code::IF_IS_64, register, zero, jump, 0),
        Step::IfIs(register, value, _) => encode(code::IF_IS_32, register, zero, jump, value.cast_signed()),
        Step::IfNot(register, value, _) => encode(code::IF_NOT_32, register, zero, jump, value.cast_signed()),
        Step::Goto(_) => encode(code::GOTO, zero, zero, jump, 0),
        Step::Exit => encode(code::EXIT, zero, zero, 0, 0),
        Step::Here(_) => return None,
    })
}

/// `struct bpf_insn`: in the machine's own order, the bit fields of the registers too.
fn encode(code: u8, to: Register, from: Register, offset: i16, immediate: i32) -> [u8; 8] {
    let (to, from) = (to as u8, from as u8);
    let registers = if cfg!(target_endian = "little") { from << 4 | to } else { to << 4 | from };
    let [o0, o1] = offset.to_ne_bytes();
    let [i0, i1, i2, i3] = immediate.to_ne_bytes();
    [code, registers, o0, o1, i0, i1, i2, i3]
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", *self as u8)
    }
}

impl Helper {
    const fn name(self) -> &'static str {
        match self {
            Self::SkFullsock => "bpf_sk_fullsock",
            Self::TcpSock => "bpf_tcp_sock",
            Self::GetNetnsCookie => "bpf_get_netns_cookie",
        }
    }
}

impl<Label: fmt::Display> fmt::Display for Step<Label> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copy { to, from } => write!(f, "{to} = {from}"),
            Self::Set { to, value } => write!(f, "{to} = {value}"),
            Self::Load { to, from, offset } => write!(f, "{to} = *(u32 *)({from} + {offset})"),
            Self::LoadPointer { to, from, offset } => write!(f, "{to} = *(u64 *)({from} + {offset})"),
            Self::And { to, bits } => write!(f, "{to} &= {bits:#010x}"),
            Self::Call(helper) => write!(f, "call {}", helper.name()),
            Self::IfNull(register, label) => write!(f, "if {register} == null goto {label}"),
            Self::IfIs(register, value, label) => write!(f, "if {register} == {value:#x} goto {label}"),
            Self::IfNot(register, value, label) => write!(f, "if {register} != {value:#x} goto {label}"),
            Self::Goto(label) => write!(f, "goto {label}"),
            Self::Exit => f.write_str("exit"),
            Self::Here(label) => write!(f, "{label}:"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn instructions_are_what_the_kernel_reads() {
        let steps = [
            Step::LoadPointer { to: Register::R1, from: Register::R6, offset: 168 },
            Step::IfNull(Register::R1, "end"),
            Step::Here("middle"),
            Step::Call(Helper::SkFullsock),
            Step::Here("end"),
            Step::Set { to: Register::R0, value: -1 },
            Step::Exit,
        ];
        let expected = [
            [0x79, 0x61, 168, 0, 0, 0, 0, 0],
            [0x15, 0x01, 1, 0, 0, 0, 0, 0],
            [0x85, 0, 0, 0, 95, 0, 0, 0],
            [0xb4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
            [0x95, 0, 0, 0, 0, 0, 0, 0],
        ];
        assert_eq!(assemble(&steps).unwrap(), expected.concat());
    }

    #[test]
    fn a_jump_to_nowhere_is_no_program() {
        assert_eq!(assemble(&[Step::IfNull(Register::R1, "nowhere"), Step::Exit]), None);
    }
}
