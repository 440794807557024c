use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use crate::clock;
use crate::kernel::{RefusalLog, Refused};
use crate::queue::{RefusedPacket, Shared, refusal};

/// Starts the thread that turns the kernel's own refusals into records.
///
/// # Errors
/// If the system gives no thread.
pub fn follow(log: RefusalLog, shared: Arc<Shared>) -> io::Result<()> {
    thread::Builder::new().name("refusals".into()).spawn(move || {
        loop {
            match log.receive() {
                Ok(refused) => refused.iter().for_each(|refused| report(refused, &shared)),
                Err(error) => {
                    tracing::warn!(%error, "reports of refused packets were lost");
                    thread::sleep(Duration::from_millis(100));
                }
            }
        }
    })?;
    Ok(())
}

fn report(refused: &Refused, shared: &Shared) {
    let Refused { reason, in_interface, uid, ref packet } = *refused;
    shared.report(refusal(&RefusedPacket { reason, bytes: packet, in_interface, uid }, shared, clock::now()));
}
