//! Real connections of `ssh` in `decider top`, in a real terminal.

use std::path::Path;

use crate::tmux::Tmux;
use crate::world::{
    Family, GITHUB, GITLAB, Internet, Process, RESOLVER, Resolver, STRANGER, Setup, Sshd, World, both, make_key,
    resolv_conf, with_resolv_conf,
};

/// What no rule names.
const UNNAMED: &str = "stranger.example";

/// `ssh` of the first client, which stays as long as it is let.
fn ssh(world: &World, directory: &Path, family: Family, name: &str) -> Process {
    let mut command = with_resolv_conf(&resolv_conf(directory, RESOLVER.of(family)));
    command.args(["ssh", family.flag(), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"]);
    command.args(["-o", "UserKnownHostsFile=/dev/null", "-i"]).arg(directory.join("key"));
    command.args([&format!("root@{name}"), "echo connected; sleep 600"]);
    Process::start(&world.clients[0].namespace, &mut command, &directory.join(format!("ssh-{name}{}", family.flag())))
}

/// The first words of a screen's rows about an address.
fn rows<'s>(screen: &'s str, address: &str) -> Vec<Vec<&'s str>> {
    let words = screen.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.filter(|words| words.get(3) == Some(&address)).collect()
}

/// Whether there is one row about an address, of this name's rule, and whether one connection of it is open.
fn is_through(screen: &str, name: &str, address: &str, open: bool) -> bool {
    let rule = format!("{name}:22/ssh");
    let is_it = |row: &Vec<&str>| row[..2] == ["allow", name] && row[5..7] == [&rule, &rule];
    matches!(&rows(screen, address)[..], [row] if is_it(row) && (row.get(8) == Some(&"1")) == open)
}

/// A world with ssh servers behind three names, one of which no rule has, and its decider.
fn started(directory: &Path) -> (World, Resolver, [Sshd; 3]) {
    let mut world = Setup { internet: Internet::bare, ..Setup::default() }.build();
    let place = world.internet.namespace.clone();
    let resolver = Resolver::start(&place, &RESOLVER.both(), &world.internet.zone);
    let names = [("github.com", GITHUB), ("gitlab.com", GITLAB), (UNNAMED, STRANGER)];
    let servers = names.map(|(name, at)| Sshd::start(&place, directory, name, at));
    for (name, at) in names {
        world.internet.zone.put(name, &at.both());
    }
    make_key(directory);
    world.gateway.start();
    (world, resolver, servers)
}

/// `decider top` on a wide screen.
fn watch(world: &World, directory: &Path) -> Tmux {
    let tmux = Tmux::start(directory);
    tmux.ok(&["resize-window", "-x", "140", "-y", "30"]);
    let (program, socket) = (env!("CARGO_BIN_EXE_decider"), world.gateway.path("control.sock"));
    tmux.keys(&[&format!("clear; {program} --socket {} top --interval 200; echo code=$?", socket.display()), "Enter"]);
    tmux.shows("ok  enforce");
    tmux
}

#[test]
fn connections_of_ssh_are_seen_while_they_live_and_refusals_with_their_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (world, _resolver, _servers) = started(folder.path());
    let (directory, tmux) = (folder.path(), watch(&world, folder.path()));
    both(|family| {
        let [github, gitlab, stranger] = [GITHUB, GITLAB, STRANGER].map(|pair| pair.of(family).to_string());
        let open = ["github.com", "gitlab.com"].map(|name| ssh(&world, directory, family, name));
        let _refused = ssh(&world, directory, family, &stranger);
        let both = [("github.com", &github), ("gitlab.com", &gitlab)];
        let through = |screen: &str, open| both.iter().all(|(name, at)| is_through(screen, name, at, open));
        tmux.shows_if("open connections to both", |screen| through(screen, true));
        let is_refused = |row: &Vec<&str>| (row[0], row[5]) == ("deny", "no-observation");
        tmux.shows_if("a refusal", |screen| matches!(&rows(screen, &stranger)[..], [row] if is_refused(row)));
        drop(open);
        tmux.shows_if("the end of both", |screen| through(screen, false));
    });
    tmux.keys(&["/", "verdict:deny", "Enter"]);
    tmux.shows_if("refusals alone", |screen| !screen.contains("gitlab.com"));
    tmux.keys(&["Enter"]);
    let detail = tmux.shows("as it would be decided now");
    assert!(detail.contains("no-observation"), "{detail}");
    tmux.keys(&["Escape"]);
    // In one breath the two are another key.
    tmux.shows("DESTINATION");
    tmux.keys(&["q"]);
    tmux.shows("code=0");
    world.gateway.adds_up();
    assert_eq!(world.internet.wire.leaked(), []);
}

#[test]
fn a_key_lets_a_refused_row_through_for_a_while_once_that_is_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let (world, _resolver, _servers) = started(folder.path());
    let (directory, tmux) = (folder.path(), watch(&world, folder.path()));
    let of_both = Family::BOTH.map(|family| STRANGER.of(family).to_string());
    let refused = Family::BOTH.map(|family| ssh(&world, directory, family, UNNAMED));
    let is_refused = |row: &Vec<&str>| row[..2] == ["deny", UNNAMED];
    let each_is = |screen: &str, it: &dyn Fn(&str, &str) -> bool| of_both.iter().all(|at| it(screen, at));
    tmux.shows_if("two refusals", |screen| {
        each_is(screen, &|screen, at| matches!(&rows(screen, at)[..], [row] if is_refused(row)))
    });
    drop(refused);

    tmux.keys(&["/", &format!("verdict:deny name:{UNNAMED}"), "Enter"]);
    tmux.shows_if("refusals alone", |screen| each_is(screen, &|screen, at| rows(screen, at).len() == 1));
    tmux.keys(&["a"]);
    let asked = tmux.shows("y: yes");
    assert!(asked.contains("and nobody else"), "{asked}");
    // Of its two addresses a row has one.
    tmux.keys(&["c"]);
    tmux.shows_if("everybody", |screen| screen.lines().any(|line| line.trim_end().ends_with("everybody")));
    tmux.shows("y: yes");
    assert_eq!(world.gateway.json(&["allow", "--list"]), serde_json::json!([]), "nothing was confirmed");
    tmux.keys(&["y"]);
    tmux.shows("it is let through now");
    tmux.keys(&["Escape"]);
    tmux.shows("DESTINATION");
    tmux.keys(&["Escape"]);

    let open = Family::BOTH.map(|family| ssh(&world, directory, family, UNNAMED));
    let is_open = |row: &Vec<&str>| row[..2] == ["allow", UNNAMED] && row.contains(&"temporary,") && row.contains(&"1");
    tmux.shows_if("connections to it", |screen| {
        each_is(screen, &|screen, at| rows(screen, at).iter().filter(|row| is_open(row)).count() == 1)
    });
    drop(open);
    tmux.keys(&["q"]);
    tmux.shows("code=0");
    world.gateway.adds_up();
}
