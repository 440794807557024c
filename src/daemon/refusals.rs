use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use crate::clock;
use crate::kernel::{RefusalLog, Refused};
use crate::model::Reason;
use crate::queue::{Hits, LetThrough, RefusedPacket, Shared, refusal};
use crate::record::{Throttle, Told};

/// Starts the thread that turns what the kernel decides by itself into records.
///
/// # Errors
/// If the system gives no thread.
pub fn follow(log: RefusalLog, shared: Arc<Shared>) -> io::Result<()> {
    thread::Builder::new().name("refusals".into()).spawn(move || {
        let mut hits = Hits::new(Arc::clone(&shared));
        let mut failures = Throttle::default();
        loop {
            match log.receive() {
                Ok(refused) => {
                    failures.works();
                    for refused in &refused {
                        report(refused, &shared, &mut hits);
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

fn report(refused: &Refused, shared: &Shared, hits: &mut Hits) {
    let Refused { reason, mark, in_interface, uid, ref packet } = *refused;
    if reason == Reason::Allowed {
        return hits.take(LetThrough { bytes: packet, mark, in_interface }, clock::now());
    }
    shared.report(refusal(&RefusedPacket { reason, bytes: packet, in_interface, uid }, shared, clock::now()));
}
