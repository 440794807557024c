use std::time::Duration;

/// How long threads that hear of connections rest once they have heard: whoever tells them need not wake them meanwhile, which
/// costs a packet more than to be told of.
pub const REST: Duration = Duration::from_millis(2);

/// How long those rest that find out who began a connection, which has to be looked at while the process is there.
#[must_use]
pub const fn rest(covers_the_host: bool) -> Duration {
    if covers_the_host { Duration::ZERO } else { REST }
}
