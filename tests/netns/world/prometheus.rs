use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::{Namespace, Process, eventually};

/// The real Prometheus, with data of its own, that asks one decider.
pub struct Prometheus {
    namespace: Namespace,
    _process: Process,
}

/// Each has a namespace of its own.
const ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 9090);

impl Prometheus {
    /// Starts it in a namespace, with a directory for its files and these rules, and waits until it is ready.
    pub fn start(namespace: &Namespace, directory: &Path, target: SocketAddr, rules: &str) -> Self {
        std::fs::create_dir_all(directory).unwrap();
        std::fs::write(directory.join("rules.yml"), rules).unwrap();
        let config = format!(
            "global: {{ scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }}\n\
             rule_files: [rules.yml]\n\
             scrape_configs: [{{ job_name: decider, static_configs: [{{ targets: [\"{target}\"] }}] }}]\n"
        );
        std::fs::write(directory.join("prometheus.yml"), config).unwrap();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", directory.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
            .arg(format!("--web.listen-address={}", SocketAddr::from(ADDRESS)));
        let process = Process::start(namespace, &mut command, &directory.join("log"));
        let prometheus = Self { namespace: namespace.clone(), _process: process };
        eventually("Prometheus", || prometheus.get("/-/ready").filter(|(status, _)| *status == 200).map(drop));
        prometheus
    }

    /// The answer to a query: each result's labels and value.
    pub fn query(&self, expression: &str) -> Vec<Value> {
        let (_, body) = self.get(&format!("/api/v1/query?query={}", escaped(expression))).expect("an answer");
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
        answer["data"]["result"].as_array().unwrap().clone()
    }

    /// The alerts that fire, each with its name and labels.
    pub fn firing(&self) -> Vec<Value> {
        self.query("ALERTS{alertstate=\"firing\"}").into_iter().map(|alert| alert["metric"].clone()).collect()
    }

    /// The rules that could not be evaluated.
    pub fn broken_rules(&self) -> Vec<Value> {
        let (_, body) = self.get("/api/v1/rules").expect("an answer");
        let answer: Value = serde_json::from_str(&body).unwrap();
        let groups = answer["data"]["groups"].as_array().unwrap().iter();
        let rules: Vec<&Value> = groups.flat_map(|group| group["rules"].as_array().unwrap()).collect();
        assert!(!rules.is_empty());
        rules.into_iter().filter(|rule| rule["health"] != "ok").cloned().collect()
    }

    /// Status code and body; none if there is no answer.
    fn get(&self, target: &str) -> Option<(u16, String)> {
        let reply = self.namespace.enter(|| {
            let mut stream = TcpStream::connect_timeout(&ADDRESS.into(), Duration::from_secs(4)).ok()?;
            stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
            // Of this version, since its answers come in one piece.
            stream.write_all(format!("GET {target} HTTP/1.0\r\n\r\n").as_bytes()).ok()?;
            let mut reply = String::new();
            stream.read_to_string(&mut reply).ok()?;
            Some(reply)
        })?;
        let (head, body) = reply.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }
}

fn escaped(text: &str) -> String {
    let escape =
        |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escape).collect()
}
