use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::sshd::with_resolv_conf;
use super::{Client, Family};

/// A real program that looks names up and connects to what it is told, again and again.
#[derive(Clone, Copy, Debug)]
pub struct Visitor {
    pub name: &'static str,
    /// The program that it is, or is built by.
    needs: &'static str,
    /// How it is built, if it is: in the folder of the sources, with `OUT` for where to.
    build: &'static [&'static str],
    /// How it is run, in the folder of the sources.
    run: &'static [&'static str],
    /// How many questions a look-up is, to reach a host over IPv4 and over IPv6.
    pub questions: [u64; 2],
    /// Whether it speaks SSH: what it says then is the host's key.
    pub ssh: bool,
    /// Whether it is worth its while only if there is much to do.
    pub slow: bool,
}

const BASE: Visitor =
    Visitor { name: "", needs: "", build: &[], run: &["OUT"], questions: [2, 2], ssh: false, slow: false };

pub const VISITORS: [Visitor; 7] = [
    Visitor { name: "glibc", needs: "cc", build: &["cc", "-O1", "-o", "OUT", "visit.c"], ..BASE },
    Visitor { name: "musl", needs: "musl-gcc", build: &["musl-gcc", "-static", "-O1", "-o", "OUT", "visit.c"], ..BASE },
    Visitor {
        name: "Go",
        needs: "go",
        build: &[
            "env",
            "CGO_ENABLED=0",
            "GO111MODULE=off",
            "GOCACHE=OUT.cache",
            "go",
            "build",
            "-o",
            "OUT",
            "visit.go",
        ],
        run: &["env", "GODEBUG=netdns=go", "OUT"],
        slow: true,
        ..BASE
    },
    Visitor { name: "Python", needs: "python3", run: &["python3", "visit.py"], ..BASE },
    Visitor {
        name: "Java",
        needs: "java",
        // Without its own cache: that would hide which name was asked for last.
        run: &["java", "-Dsun.net.inetaddr.ttl=0", "-Dsun.net.inetaddr.negative.ttl=0", "Visit.java"],
        slow: true,
        ..BASE
    },
    // Bound to IPv6, it asks for addresses of both families and takes what it wants.
    Visitor { name: "curl", needs: "curl", run: &["./visit-curl"], questions: [1, 2], ..BASE },
    Visitor { name: "OpenSSH", needs: "ssh-keyscan", run: &["./visit-ssh"], questions: [1, 1], ssh: true, ..BASE },
];

/// What there is to do.
#[derive(Clone, Copy)]
pub struct Visits<'v> {
    pub family: Family,
    pub port: u16,
    pub times: usize,
    /// Milliseconds after each, of the programs that do all of them by themselves.
    pub pause: u32,
    /// In turn.
    pub names: &'v [&'v str],
}

impl Visitor {
    /// Builds it into that folder; the error says what is missing on this machine.
    pub fn build(&self, folder: &Path) -> Result<(), String> {
        let found = Command::new("sh").args(["-c", "command -v \"$0\"", self.needs]).stdout(Stdio::null()).status();
        if !found.unwrap().success() {
            return Err(format!("there is no {}", self.needs));
        }
        if let Some((program, rest)) = self.words(self.build, folder).split_first() {
            let output = Command::new(program).args(rest).current_dir(sources()).output().unwrap();
            assert!(output.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// Runs it to its end: for each visit the name, and what the server said or what failed.
    pub fn run(&self, folder: &Path, client: &Client, resolv_conf: &Path, visits: Visits) -> Vec<(String, String)> {
        let family = visits.family.flag().trim_start_matches('-');
        let numbers = [visits.port.to_string(), visits.times.to_string(), visits.pause.to_string()];
        let mut command = with_resolv_conf(resolv_conf);
        command.args(self.words(self.run, folder)).arg(family).args(numbers).args(visits.names);
        command.current_dir(sources()).stdin(Stdio::null());
        let output = client.namespace.enter(|| command.output().unwrap());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", self.name);
        let text = String::from_utf8_lossy(&output.stdout);
        let visits = text.lines().map(|line| line.split_once(' ').unwrap_or((line, "nothing was said")));
        visits.map(|(name, said)| (name.to_owned(), said.to_owned())).collect()
    }

    fn words(&self, words: &[&str], folder: &Path) -> Vec<String> {
        let out = folder.join(self.name).display().to_string();
        words.iter().map(|word| word.replace("OUT", &out)).collect()
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}
