use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::control::Backend;
use crate::metrics::{Figures, Server, Source, render};
use crate::policy::Listen;

use super::backend::View;

/// Begins to give metrics, where there is a place for that.
pub fn serve(server: Option<Server>, view: &Arc<View>) -> Option<JoinHandle<()>> {
    let server = server?;
    if let Some(listen) = &view.shared.published.load().policy.spec().metrics {
        tracing::info!(%listen, "metrics are given");
        if !is_here(listen, view) {
            tracing::warn!(%listen, "metrics.listen is no address of this host: nobody gets them until it is");
        }
    }
    let source = Arc::clone(view);
    Some(tokio::spawn(async move { server.serve(source).await }))
}

fn is_here(listen: &Listen, view: &View) -> bool {
    match listen {
        Listen::Unix(_) => true,
        Listen::Tcp(address) => {
            let ip = address.ip();
            ip.is_unspecified() || ip.is_loopback() || view.shared.whereabouts.is_here(ip)
        }
    }
}

impl Source for View {
    fn page(&self) -> Option<String> {
        let figures = Figures { tally: self.recorder.tally(), status: self.status() };
        render(figures).inspect_err(|error| tracing::error!(%error, "metrics cannot be written")).ok()
    }
}
