use std::error::Error;
use std::iter::successors;
use std::os::fd::{AsFd, AsRawFd};

use aya::programs::{ProgramFd, SchedClassifier, TestRun, TestRunOptions};
use aya::{Ebpf, EbpfLoader};

use crate::model::MarkMask;

use super::assembler::{Step, assemble};
use super::object::{PROGRAM, object};
use super::program::{Place, namespace_program, program};

/// A packet to try a program with: as long as an Ethernet header, which is the least that the kernel takes.
const NOTHING: [u8; 14] = [0; 14];

/// The program, in the kernel and attached to nothing.
pub struct Loaded {
    fd: ProgramFd,
    /// The kernel's digest of its instructions.
    pub tag: [u8; 8],
}

impl Loaded {
    /// Loads the program for these marks and the network namespace that this is called in.
    ///
    /// # Errors
    /// If the kernel has no eBPF, or does not let this process use it.
    pub fn new(marks: MarkMask, tells_namespaces: bool) -> Result<Self, LoadError> {
        let own = if tells_namespaces { own_namespace() } else { None };
        let mut ebpf = load(&program(marks, own))?;
        let loaded = classifier(&mut ebpf)?;
        let tag = loaded.info().map_err(failed)?.tag().to_be_bytes();
        let fd = loaded.fd().and_then(|fd| fd.try_clone().map_err(Into::into)).map_err(failed)?;
        Ok(Self { fd, tag })
    }

    /// The number by which the kernel is told of it.
    #[must_use]
    pub fn descriptor(&self) -> Option<u32> {
        u32::try_from(self.fd.as_fd().as_raw_fd()).ok()
    }
}

/// The lower half of the cookie of this network namespace; none where programs of `tc` cannot ask for it (before 6.13).
fn own_namespace() -> Option<u32> {
    let mut ebpf = load(&namespace_program()).ok()?;
    let options = TestRunOptions { data_in: Some(&NOTHING), ..TestRunOptions::new() };
    // The kernel tries it with a packet of a socket of who asks.
    Some(classifier(&mut ebpf).ok()?.test_run(options).ok()?.return_value)
}

/// Why the program is not in the kernel.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LoadError(String);

/// Asks the kernel to check the program, and leaves it there as long as the result lives.
fn load(steps: &[Step<Place>]) -> Result<Ebpf, LoadError> {
    let packed = assemble(steps).and_then(|code| object(&code));
    let packed = packed.ok_or_else(|| failed("the program cannot be assembled"))?;
    let mut ebpf = EbpfLoader::new().btf(None).load(&packed).map_err(failed)?;
    classifier(&mut ebpf)?.load().map_err(failed)?;
    Ok(ebpf)
}

fn classifier(ebpf: &mut Ebpf) -> Result<&mut SchedClassifier, LoadError> {
    let program = ebpf.program_mut(PROGRAM).ok_or_else(|| failed("the object has no program"))?;
    program.try_into().map_err(failed)
}

/// With its causes: the kernel's own answer is the last of them.
fn failed(error: impl Into<Box<dyn Error>>) -> LoadError {
    let error = error.into();
    let causes = successors(Some(&*error), |&error| error.source());
    LoadError(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}
