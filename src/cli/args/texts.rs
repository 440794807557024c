//! What `--help` says beyond a line.

pub const EXIT_CODES: &str = "\
Exit codes:
  0  fine
  1  the answer is no (check, reload: problems; explain, replay: refused; learn: nothing; diff: different; status: degraded; doctor: something is wrong)
  2  wrong usage
  3  no decider runs here
  4  the system refused";

pub const LOCKDOWN: &str = "\
Close the door before decider runs, as the policy will have it: for the boot.

The policy's ruleset is put in force with nobody who decides, and its routing rules: what would be decided is refused. \
`decider run` replaces it in one transaction. A policy that cannot be used closes everything but this host's own traffic, \
the upkeep of its links and replies to whoever comes in. In audit mode nothing is done, and where decider runs nothing is \
changed.";

pub const ALLOW: &str = "\
Let a name through for a while, beside what the policy file says.

The target is a name or a wildcard as a rule of the policy has it, with one port and `ssh` or `tcp` behind it: github.com:22/ssh. \
A port without a proto has that of the policy's rules on this port, else ssh on port 22 and tcp on any other; a name alone means \
port 22. What is assumed is said.

The rule is checked like one of the policy file, and a deny rule of the file beats it. It survives reloads and restarts, and ends \
by itself: its connections are cut then. Allowed again before that, it ends anew. It takes root. Exits 1 if there can be no such \
rule.";

pub const FILTER: &str = "\
Filter: all words have to fit, and of several values (port:22,5432) one.
  verdict:deny  reason:no-observation  rule:ID  name:*.example.com  client:10.0.0.0/8  dst:2001:db8::/32
  port:9000-9010  proto:udp  iface:lan0  path:fast  exe:ssh  uid:1000  pid:77  cgroup:backup.service
  name:-          there is none
  -port:22        must not fit; so does '!port:22'
  github          a word without a field may be in any";

pub const REPLAY: &str = "\
Say what a policy would have decided of captured traffic.

Plays a capture (pcap or pcapng, as tcpdump and Wireshark write it) with its own clock, as if decider had run with an empty \
memory and all its listeners up: each decision as `decider events` shows it, then a summary. Exits 1 if something would have \
been refused. It needs no rights and no running decider.

A capture does not say by which interface a packet came in. Clients are those of `intercept.gateway.networks`; where the \
policy names none, senders with private addresses and whoever asks one of `dns.resolvers`. `--client` names them instead. \
Capture on the clients' side of the gateway, whole packets: `tcpdump -i docker0 -w FILE`. For `intercept.host`, name this \
host's addresses by `--here`.";

pub const LEARN: &str = "\
Propose the rules that let through what was seen.

Prints a policy, ready to paste: the fewest rules for the connections that were recorded, each with its evidence as a \
comment. Without --from and --pcap it asks the running decider what it decided last, and takes all but the rules from the \
policy that this one runs with. Run a real session in audit mode first, and read what is proposed: whatever was refused is in \
it, too, unless a FILTER such as `-verdict:deny` or `client:10.77.1.2` leaves it out.

Names become a wildcard only where several stand right below another (--wildcards), and never where anybody can have a name. \
Addresses without a name are listed as comments, and are no rules. A capture is played as `decider replay` does it.

Exits 1 if nothing was seen that a rule could be about.";
