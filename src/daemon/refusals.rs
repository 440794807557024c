use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use crate::clock;
use crate::kernel::{RefusalLog, Refused};
use crate::queue::{RefusedPacket, Shared, refusal};
use crate::record::{Throttle, Told};

/// Starts the thread that turns the kernel's own refusals into records.
///
/// # Errors
/// If the system gives no thread.
pub fn follow(log: RefusalLog, shared: Arc<Shared>) -> io::Result<()> {
    thread::Builder::new().name("refusals".into()).spawn(move || {
        let mut failures = Throttle::default();
        loop {
            match log.receive() {
                Ok(refused) => {
                    failures.works();
                    for refused in &refused {
                        report(refused, &shared);
                    }
                }
                Err(error) => {
                    if let Some(Told { left_out }) = failures.fails(&error.to_string(), clock::now()) {
                        tracing::warn!(%error, left_out, "reports of refused packets were lost");
                    }
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
