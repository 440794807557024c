//! stub
#![allow(missing_docs, clippy::all, clippy::pedantic)]
use crate::policy::{Policy, Route};
use serde_json::Value;
use std::path::Path;
use tokio::sync::watch;
pub struct Files {
    pub bootstrap: Value,
    pub lds: Value,
    pub cds: Value,
}
pub fn render(_p: &Policy) -> Files {
    Files { bootstrap: Value::Null, lds: Value::Null, cds: Value::Null }
}
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct EnvoyError;
#[derive(Clone, Default)]
pub struct EnvoyState {
    pub restarts: u32,
    pub last_error: Option<String>,
}
impl EnvoyState {
    pub fn is_well(&self) -> bool {
        true
    }
    pub fn describe(&self) -> String {
        String::new()
    }
    pub fn word(&self) -> &str {
        "x"
    }
    pub fn pid(&self) -> Option<u32> {
        None
    }
    pub fn adopted(&self) -> bool {
        false
    }
    pub fn is_ready(&self, _r: &Route) -> bool {
        true
    }
}
pub struct Supervisor(watch::Sender<EnvoyState>);
impl Supervisor {
    pub async fn start(_p: &Policy) -> Result<(Self, watch::Receiver<EnvoyState>), EnvoyError> {
        let (s, r) = watch::channel(EnvoyState::default());
        Ok((Self(s), r))
    }
    pub async fn stop(self) {}
}
pub async fn stop_leftover(_c: &Path) -> Result<bool, EnvoyError> {
    Ok(false)
}
pub fn adoptable(_p: &Policy) -> Option<()> {
    None
}
