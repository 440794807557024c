//! A daemon that answers what a test wants, behind the real control socket.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use decider::control::{
    Allow, Backend, CacheEntry, FlowView, Groups, ReloadReport, RuleView, Server, Status, TemporaryReport,
    TemporaryView,
};
use decider::decide::Explanation;
use decider::record::{Event, Follower};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{broadcast, oneshot};

use crate::Folder;

/// Answers until it is dropped.
pub struct Daemon {
    says: Arc<Says>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Says {
    status: Mutex<Value>,
    past: Mutex<Vec<Arc<Event>>>,
    followers: broadcast::Sender<Arc<Event>>,
}

impl Daemon {
    pub fn start(folder: &Folder) -> Self {
        let says = Arc::new(Says {
            status: Mutex::new(status()),
            past: Mutex::default(),
            followers: broadcast::Sender::new(16),
        });
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let (backend, socket) = (Arc::clone(&says), folder.socket());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::bind(&socket, Groups::nobody()).unwrap();
                ready.send(()).unwrap();
                tokio::select! {
                    () = server.serve(backend) => {}
                    _ = stopped => {}
                }
            });
        });
        is_ready.recv().unwrap();
        Self { says, stop: Some(stop), thread: Some(thread) }
    }

    /// Changes what `status` says.
    pub fn status(&self, change: impl FnOnce(&mut Value)) {
        change(&mut self.says.status.lock().unwrap());
    }

    /// Something happens.
    pub fn publish(&self, event: Value) {
        let event: Arc<Event> = Arc::new(from(event));
        self.says.past.lock().unwrap().push(Arc::clone(&event));
        let _ = self.says.followers.send(event);
    }

    /// How many follow the events.
    pub fn followers(&self) -> usize {
        self.says.followers.receiver_count()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Backend for Says {
    fn status(&self) -> Status {
        from(self.status.lock().unwrap().clone())
    }

    fn rules(&self) -> Vec<RuleView> {
        from(rules())
    }

    fn flows(&self) -> Result<Vec<FlowView>, String> {
        Ok(from(flows()))
    }

    fn explain(&self, _client: IpAddr, _dst: IpAddr, _port: u16) -> Explanation {
        from(explanation())
    }

    fn cache(&self, _client: Option<IpAddr>, name: Option<&str>, limit: usize) -> Vec<CacheEntry> {
        let entries: Vec<CacheEntry> = from(cache());
        entries.into_iter().filter(|entry| name.is_none_or(|name| entry.name.as_str() == name)).take(limit).collect()
    }

    fn events(&self, count: usize) -> (Vec<Arc<Event>>, Follower) {
        let past = self.past.lock().unwrap();
        (past.iter().rev().take(count).rev().cloned().collect(), self.followers.subscribe())
    }

    async fn reload(&self, dry_run: bool) -> Result<ReloadReport, String> {
        Ok(from(reload(dry_run)))
    }

    fn temporary(&self) -> Vec<TemporaryView> {
        from(json!([temporary()]))
    }

    async fn allow(&self, asked: Allow) -> Result<TemporaryReport, String> {
        Ok(from(allow(&asked)))
    }

    async fn revoke(&self, which: String, _by: u32) -> Result<TemporaryReport, String> {
        Ok(from(revoke(&which)))
    }

    async fn down(&self) -> Result<(), String> {
        Err("the door stays as it is".into())
    }
}

fn from<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// One connection lives.
pub fn flows() -> Value {
    json!([{
        "client": "10.0.0.5", "client_port": 40000, "dst": "203.0.113.9", "dst_port": 22, "proto": "tcp",
        "rule": "new.example:22/ssh", "domain": "new.example", "listener_port": 15_000, "mark": "0x40010000",
        "age_s": 90, "bytes_out": 4_000, "bytes_in": 9_000_000, "left_s": 30
    }])
}

/// A rule came, one went, one leads elsewhere; asked for real, the file is broken.
pub fn reload(dry_run: bool) -> Value {
    let problem = json!({ "kind": "policy", "message": "policy.yaml:7:3: no such key" });
    json!({
        "ok": dry_run, "dry_run": dry_run, "policy": "policy.yaml", "epoch": 1,
        "failure": if dry_run { Value::Null } else { problem },
        "diagnostics": [], "rendered": if dry_run { "" } else { "error[unknown-key]: no such key" },
        "added": ["new.example:22/ssh"], "removed": ["old.example:22/ssh"],
        "changed": [{ "id": "db", "what": ["port: 5432 -> 5433"] }], "settings": ["dns.min_ttl"],
        "cut": [{
            "client": "2001:db8::7", "client_port": 40000, "dst": "203.0.113.9", "dst_port": 22,
            "rule": "old.example:22/ssh", "domain": "old.example", "why": "its rule is gone"
        }],
        "not_ready": ["new.example:22/ssh"], "notes": ["dns.capacity counts from the next start on"], "took_ms": 42
    })
}

/// One client may reach a name for a while.
pub fn temporary() -> Value {
    json!({
        "id": "new.example:22/ssh@10.0.0.5", "domain": "new.example", "port": 22, "proto": "ssh", "client": "10.0.0.5",
        "for_s": 600, "left_s": 125, "ends": "2027-01-02T03:14:05Z", "by": 0
    })
}

/// Everything but a wildcard for all of `com` is allowed.
fn allow(asked: &Allow) -> Value {
    let refused = asked.target.starts_with("*.com");
    let failure = json!({
        "kind": "policy", "code": "public-suffix", "message": "anybody can have names below `com`",
        "help": "name the domain, as in \"*.example.com\""
    });
    json!({
        "ok": !refused, "dry_run": asked.dry_run, "failure": if refused { failure } else { Value::Null },
        "rules": if refused { json!([]) } else { json!([temporary()]) }, "renewed": false,
        "notes": ["ssh is assumed, whose port is 22"], "cut": [], "not_ready": [], "epoch": 2, "took_ms": 12
    })
}

/// There is one for this name only.
fn revoke(which: &str) -> Value {
    let known = which == "new.example";
    let failure = json!({
        "kind": "policy", "message": "no temporary rule has this id or name",
        "help": "`decider allow --list` shows those there are"
    });
    json!({
        "ok": known, "dry_run": false, "failure": if known { Value::Null } else { failure },
        "rules": if known { json!([temporary()]) } else { json!([]) }, "renewed": false, "notes": [],
        "cut": reload(true)["cut"], "not_ready": [], "epoch": 3, "took_ms": 7
    })
}

/// All is well, and little has happened.
pub fn status() -> Value {
    let queue = |number: u16, purpose: &str| {
        json!({
            "number": number, "purpose": purpose, "up": true, "waiting": 0, "dropped_full": 0, "dropped_socket": 0,
            "receive_errors": 0, "verdict_errors": 0, "panics": 0
        })
    };
    json!({
        "version": "0.1.0", "pid": 4242, "uptime_s": 3725, "state": "ok", "problems": [], "mode": "enforce",
        "policy": "policy.yaml", "epoch": 1, "reload": null, "rules": 2, "temporary": [], "listeners_ready": 2, "listeners": 2,
        "envoy": {
            "managed": true, "state": "running", "pid": 4243, "adopted": false, "restarts": 0, "last_error": null
        },
        "counters": {
            "queued": 12, "allowed": 10, "fast": 7, "denied": 2, "audited": 0, "malformed": 0, "dropped_by_kernel": 0,
            "waiting": 0, "repeated_syns": 0
        },
        "fast_path": { "state": "on", "ends_with": "process", "elements": 2, "capacity": 65_536, "allowed": 7, "told": 7, "repeated": 1 },
        "refused_in_kernel": { "port-not-allowed": 3, "not-a-syn": 0 },
        "dns": {
            "tcp": {
                "open": 1, "connections": 3, "overload": 0, "refused": 0, "resolver_failed": 1, "client_failed": 0,
                "strangers": 0
            },
            "messages": { "questions": 4, "learned": 4, "taught_nothing": 0 }, "observations": 4, "capacity": 1000
        },
        "queues": [queue(5300, "syn"), queue(5301, "dns")], "queue_statement": "native",
        "heal": { "ruleset": 0, "routes": 0, "backstop": 0, "last": null, "last_at": null },
        "sandbox": { "files": "restricted", "calls": "restricted", "capabilities": ["CAP_NET_ADMIN", "CAP_NET_RAW"] },
        "lost_records": 0, "lost_journal": 0, "event_file": null
    })
}

/// A stranger's address is refused.
pub fn event() -> Value {
    json!({
        "ts": "2027-01-02T03:04:05.678Z", "verdict": "deny", "reason": "no-observation", "rule": null, "domain": null,
        "client": "10.77.1.7", "client_port": 40000, "dst": "203.0.113.166", "dst_port": 22, "proto": "tcp",
        "mark": "0x00000100", "iface": "lan0", "path": "queue", "waited_us": 42
    })
}

pub fn rules() -> Value {
    json!([
        {
            "id": "github.com:22/ssh", "domain": "github.com", "proto": "ssh", "ports": [22], "action": "allow",
            "upstream": "resolve", "mark": "0x40000000", "listener_port": 15100, "ready": true
        },
        {
            "id": "orders", "domain": "*.db.example.com", "proto": "tcp", "ports": [5432, 6432], "action": "allow",
            "upstream": "original", "mark": "0x40000100", "listener_port": 15101, "ready": false
        },
        {
            "id": "no", "domain": "old.example.com", "proto": "tcp", "ports": [5432], "action": "deny",
            "upstream": null, "mark": null, "listener_port": null, "ready": null
        }
    ])
}

pub fn cache() -> Value {
    json!([
        {
            "name": "github.com", "address": "192.0.2.10", "client": "10.77.1.7", "ttl_s": 60, "age_s": 5, "left_s": 85,
            "state": "live", "flows": 0
        },
        {
            "name": "db.example.com", "address": "2001:db8::5", "client": "2001:db8:1::7", "ttl_s": 1, "age_s": 95,
            "left_s": 0, "state": "held", "flows": 2
        }
    ])
}

pub fn explanation() -> Value {
    json!({
        "verdict": "allow", "reason": "allowed", "meaning": "a rule allows this name on this port",
        "rule": "github.com:22/ssh", "domain": "github.com", "mark": "0x40000000", "listener_port": 15100,
        "upstream": "resolve",
        "steps": [{ "what": "client", "found": "10.0.0.1 is covered" }],
        "names": [{
            "name": "github.com", "asked_by": "10.0.0.1", "age_s": 5, "left_s": 85, "state": "live", "flows": 1
        }],
        "advice": null
    })
}
