use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::process::{Command, Stdio};

use crate::control::Status;
use crate::doctor::EnvoyFacts;
use crate::envoy::Program;
use crate::policy::{EnvoySpec, Policy};

use super::sockets;

pub fn gather(policy: &Policy, status: Option<&Status>) -> EnvoyFacts {
    let spec = &policy.spec().envoy;
    EnvoyFacts {
        program: spec.manage.then(|| program(spec)),
        taken: if status.is_some() { Vec::new() } else { taken(policy) },
        listeners: status.map(|status| (status.listeners_ready, status.listeners)),
    }
}

fn program(spec: &EnvoySpec) -> Result<String, (String, Option<String>)> {
    let program = Program::find(spec).map_err(|error| (error.to_string(), error.help().map(str::to_owned)))?;
    let said = Command::new(&program.binary).arg("--version").stdin(Stdio::null()).output();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    // `... version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`
    let version = said.split_once("version: ").and_then(|(_, version)| version.split('/').nth(1)).unwrap_or("?");
    Ok(format!("Envoy {version} at {}", program.binary.display()))
}

fn taken(policy: &Policy) -> Vec<(SocketAddr, Option<(u32, String)>)> {
    let spec = &policy.spec().envoy;
    let ports: Vec<u16> = policy.routes().iter().map(|route| route.listener_port).chain([spec.relay_port()]).collect();
    let hosts: [IpAddr; 2] = [spec.listen.into(), Ipv6Addr::LOCALHOST.into()];
    let in_the_way = |address: SocketAddr| {
        let host = address.ip();
        ports.contains(&address.port()) && (host.is_unspecified() || hosts.contains(&host))
    };
    let listening = sockets::listening().into_iter().filter(|socket| in_the_way(socket.address));
    let taken = listening.map(|socket| (socket.address, socket.owner()));
    // An Envoy that outlived its decider is taken over.
    let own = std::fs::read_to_string(spec.config_dir.join("envoy.pid")).unwrap_or_default();
    let own = own.trim().parse().ok();
    taken.filter(|(_, by)| own.is_none() || by.as_ref().map(|(pid, _)| *pid) != own).collect()
}
