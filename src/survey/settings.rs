use crate::doctor::{Beyond, SettingFacts};
use crate::policy::Spec;

use super::netlink::Link;
use super::{split, values};

pub fn gather(spec: Option<&Spec>, links: &[Link], beyond: Beyond) -> SettingFacts {
    let (clients, others) = split(spec, links.iter().map(|link| link.name.clone()));
    let all: Vec<String> = [&clients[..], &others].concat();
    SettingFacts {
        values: values(&all),
        bridges: links.iter().any(|link| link.is_bridge && clients.contains(&link.name)),
        clients,
        others,
        beyond,
    }
}
