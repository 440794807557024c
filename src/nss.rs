//! The one place that asks the system's lists of users and groups (`nsswitch.conf`). They may be on another machine, so nobody
//! waits here for longer than [`PATIENCE`]; and what waits on is a thread that nothing else needs.

use std::ffi::CString;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

/// How long an answer may take.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// It does not come.
    #[error("the system's lists (nsswitch.conf) did not answer within {} s", PATIENCE.as_secs())]
    Silent,
    /// The system's answer.
    #[error("{}", .0.desc())]
    System(Errno),
}

/// The group of that name; none if there is no such group.
///
/// # Errors
/// If the lists do not say.
pub fn group(name: &str) -> Result<Option<Group>, LookupError> {
    let name = name.to_owned();
    within(PATIENCE, move || Group::from_name(&name))
}

/// The user of that name; none if there is no such user.
///
/// # Errors
/// If the lists do not say.
pub fn user(name: &str) -> Result<Option<User>, LookupError> {
    let name = name.to_owned();
    within(PATIENCE, move || User::from_name(&name))
}

/// The user with that number; none if there is no such user.
///
/// # Errors
/// If the lists do not say.
pub fn user_with(number: Uid) -> Result<Option<User>, LookupError> {
    within(PATIENCE, move || User::from_uid(number))
}

/// The groups that a user is in, `own` among them. Waits for as long as it takes: for threads that may.
#[must_use]
pub fn groups_of(user: Uid, own: Gid) -> Vec<Gid> {
    let listed = User::from_uid(user).ok().flatten().and_then(|user| CString::new(user.name).ok());
    listed.and_then(|name| getgrouplist(&name, own).ok()).unwrap_or_else(|| vec![own])
}

fn within<T: Send + 'static>(
    patience: Duration,
    look_up: impl FnOnce() -> nix::Result<T> + Send + 'static,
) -> Result<T, LookupError> {
    let (answer, answered) = sync_channel(1);
    // Whoever asked may have gone.
    let asking = thread::Builder::new().name("nss".to_owned()).spawn(move || drop(answer.send(look_up())));
    asking.map_err(|_| LookupError::System(Errno::EAGAIN))?;
    match answered.recv_timeout(patience) {
        Ok(answer) => answer.map_err(LookupError::System),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(LookupError::Silent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_do_not_answer_are_not_waited_for() {
        let (end, ended) = sync_channel::<()>(0);
        let hangs = move || {
            let _ = ended.recv();
            Ok(())
        };
        assert_eq!(within(Duration::from_millis(20), hangs), Err(LookupError::Silent));
        drop(end);
        assert_eq!(within(PATIENCE, || Ok(5)), Ok(5));
        assert_eq!(within::<()>(PATIENCE, || Err(Errno::EIO)), Err(LookupError::System(Errno::EIO)));
    }

    #[test]
    fn who_is_listed_is_found_and_who_is_not_is_none() {
        assert_eq!(user("root").unwrap().unwrap().uid, Uid::from_raw(0));
        assert_eq!(user_with(Uid::from_raw(0)).unwrap().unwrap().name, "root");
        assert_eq!(group("root").unwrap().unwrap().gid, Gid::from_raw(0));
        assert!(user("no-such-user-here").unwrap().is_none() && group("no-such-group-here").unwrap().is_none());
        let own = Gid::from_raw(4_000_000_001);
        assert_eq!(groups_of(Uid::from_raw(4_000_000_001), own), [own]);
    }
}
