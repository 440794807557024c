use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::daemon::{Options, offline};
use crate::envoy::{self, Host};
use crate::kernel::{BackstopPlan, Features, QueueStatement, RoutingPlan, Ruleset, interface_names, links};
use crate::policy::Policy;

use super::args::{Place, Render, Rendered};
use super::check::load;
use super::failure::Failure;
use super::output;

pub fn run(args: &Render, place: &Place) -> Result<ExitCode, Failure> {
    let spec = load(&args.file)?;
    let policy = offline::compile(spec, &place.state_dir).map_err(|error| Failure::from_start(&error))?;
    let parts: &[Rendered] = match args.what {
        Rendered::All => &[Rendered::Nft, Rendered::Routes, Rendered::Backstop, Rendered::Envoy],
        Rendered::Nft => &[Rendered::Nft],
        Rendered::Routes => &[Rendered::Routes],
        Rendered::Backstop => &[Rendered::Backstop],
        Rendered::Envoy => &[Rendered::Envoy],
    };
    if args.output.json {
        let named = parts.iter().map(|part| (part.name().to_owned(), part.json(&policy)));
        output::json(&named.collect::<Map<String, Value>>())?;
    } else {
        for part in parts {
            output::bytes(part.text(&policy).as_bytes())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Rendered {
    fn name(self) -> &'static str {
        match self {
            Self::Nft => "nft",
            Self::Routes => "routes",
            Self::Backstop => "backstop",
            Self::Envoy => "envoy",
            Self::All => "all",
        }
    }

    fn json(self, policy: &Policy) -> Value {
        match self {
            Self::Nft => json!(nft(policy)),
            Self::Routes => json!(routing(policy).to_string().lines().collect::<Vec<_>>()),
            Self::Backstop => json!(backstop(policy).lines().collect::<Vec<_>>()),
            Self::Envoy => envoy_files(policy).collect::<Map<String, Value>>().into(),
            Self::All => Value::Null,
        }
    }

    /// Each part says what it is in a comment of its own language.
    fn text(self, policy: &Policy) -> String {
        match self {
            Self::Nft => format!("# nft -f\n{}", nft(policy)),
            Self::Routes => format!("# ip\n{}", routing(policy)),
            Self::Backstop => format!("# tc\n{}", backstop(policy)),
            Self::Envoy => {
                envoy_files(policy).map(|(name, value)| format!("// {name}\n{value:#}\n")).collect::<Vec<_>>().concat()
            }
            Self::All => String::new(),
        }
    }
}

/// As on a kernel with `nft_queue`, where others have the two queue rules added by netlink, and with tables that end with a
/// process. Such a one is no work for nft, which would end at once.
fn nft(policy: &Policy) -> String {
    let options = Options::default();
    let features = Features { queueing: QueueStatement::Native, owned_tables: true };
    let ruleset = Ruleset::plan(policy, &options.queues(), features, options.log_group, &offline::local(policy));
    let own = ruleset.attendance.map(|attendance| attendance.to_string()).unwrap_or_default();
    let own = own.lines().map(|line| format!("# {line}\n"));
    ruleset.to_string() + &own.collect::<String>()
}

fn routing(policy: &Policy) -> RoutingPlan {
    RoutingPlan::new(policy, &interface_names())
}

/// Nothing where there is none.
fn backstop(policy: &Policy) -> String {
    BackstopPlan::new(policy, &links().unwrap_or_default()).map(|plan| plan.to_string()).unwrap_or_default()
}

fn envoy_files(policy: &Policy) -> impl Iterator<Item = (String, Value)> {
    let files = envoy::render(policy, Host::default());
    [("bootstrap.json", files.bootstrap), ("lds.json", files.lds.file()), ("cds.json", files.cds.file())]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
}
