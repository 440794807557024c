//! What a service manager hears: that all is in force, signs of life for as long as there is life, and the end.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::world::{Gateway, Setup, World, both, eventually};

/// How long it waits for a sign of life.
const WATCHDOG: Duration = Duration::from_millis(900);

/// A service manager's end of the line.
struct Manager(UnixDatagram);

impl Manager {
    fn of(gateway: &mut Gateway) -> Self {
        let path = gateway.path("notify.sock");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let micros = WATCHDOG.as_micros().to_string();
        gateway.environment.extend(
            [("NOTIFY_SOCKET", path.display().to_string()), ("WATCHDOG_USEC", micros)]
                .map(|(name, value)| (name.to_owned(), value)),
        );
        Self(socket)
    }

    /// The next message, if there is one within the time.
    fn hears(&self, within: Duration) -> Option<String> {
        self.0.set_read_timeout(Some(within)).unwrap();
        let mut buffer = [0; 4096];
        let length = self.0.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).trim().to_owned())
    }

    /// Waits for this message.
    fn waits_for(&self, wanted: &str) {
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if self.hears(Duration::from_secs(1)).is_some_and(|heard| heard == wanted) {
                return;
            }
        }
        panic!("never heard {wanted}");
    }

    /// Waits until no sign of life has come for three times as long as it waits for one.
    fn waits_for_silence(&self) {
        eventually("silence", || {
            let until = Instant::now() + WATCHDOG * 3;
            while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
                if self.hears(left).is_some_and(|heard| heard == "WATCHDOG=1") {
                    return None;
                }
            }
            Some(())
        });
    }
}

fn start(world: &mut World) -> Manager {
    let manager = Manager::of(&mut world.gateway);
    world.gateway.launch();
    manager.waits_for("READY=1");
    manager
}

#[test]
fn it_hears_of_the_start_of_life_and_of_the_end() {
    let mut world = Setup::default().build();
    let manager = start(&mut world);
    for _ in 0..3 {
        manager.waits_for("WATCHDOG=1");
    }
    world.gateway.wait_until_ready();
    world.gateway.freeze();
    manager.waits_for_silence();
    world.gateway.thaw();
    manager.waits_for("WATCHDOG=1");
    world.gateway.end_by(Signal::SIGTERM);
    manager.waits_for("STOPPING=1");
}

#[test]
fn a_worker_that_hangs_gives_no_sign_of_life() {
    let mut world = Setup::default().build();
    world.gateway.environment = vec![("DECIDER_FAULT".to_owned(), "hang-on-port:5432".to_owned())];
    let manager = start(&mut world);
    manager.waits_for("WATCHDOG=1");
    world.gateway.wait_until_ready();
    // What only another client was told always goes to a queue.
    let address = world.clients[1].look_up("db.example.com", crate::world::Family::V4)[0];
    manager.waits_for("WATCHDOG=1");
    both(|_| world.clients[0].is_shut_out(address, 5432));
    manager.waits_for_silence();
}
