# What a developer types. `make` alone lists it.

PREFIX ?= /usr/local
DESTDIR ?=
CARGO ?= cargo
# What rustup and Debian keep out of root's PATH, depending on how one became root.
export PATH := $(PATH):$(HOME)/.cargo/bin:/usr/sbin:/sbin

bin := $(DESTDIR)$(PREFIX)/bin
man := $(DESTDIR)$(PREFIX)/share/man/man1
share := $(DESTDIR)$(PREFIX)/share

.DEFAULT_GOAL := help
.PHONY: help demo test churn storm clients bench bench-core bench-dns bench-readers backstop screenshots check fuzz build static deb deb-test vm-quick vm install clean setup

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup ## A little internet on this machine with decider in it (root; DEMO_KEEP=1 stays open)
	$(CARGO) build --locked
	@tests/demo/run

test: setup ## Every test; the last line says how many passed and failed (root)
	@tests/summary

churn: N = 100000
churn: setup ## N decisions (100000) of a crowd of clients against a model of the truth (root)
	DECIDER_CHURN_N=$(N) $(CARGO) test --locked --test churn every_decision -- --nocapture

storm: N = 200
storm: setup ## N reloads (200) in a row under fifty clients, beside streams and scp; prints gaps and growth (root)
	DECIDER_RELOADS=$(N) DECIDER_SCP_MIB=1024 $(CARGO) test --locked --test netns -- \
	    reload_storm reload_scp --nocapture --test-threads 1

clients: N = 1000
clients: ## Real programs look names up and connect, N times each (1000), and a table of what came of it (root)
	@tests/setup clients
	DECIDER_CLIENTS=$(N) $(CARGO) test --locked --test netns real_clients -- --nocapture

bench: ## What a firewall costs a connection: none, nftables, queues, decider, Envoy (root; BENCH_QUICK=1 is short)
	@tests/setup bench
	@# 10,000 rules take their time to be in force where the machine has other work to do.
	DECIDER_SLOW=$${DECIDER_SLOW:-5} $(CARGO) bench --locked --bench connections

bench-core: ## What reading, deciding, learning and rendering cost, and what is kept (BENCH_QUICK=1 is short)
	@tests/setup rust
	$(CARGO) bench --locked --bench core

bench-dns: setup ## What decider adds to a DNS lookup, beside dnsmasq (root; BENCH_QUICK=1 is short)
	$(CARGO) bench --locked --bench dns

bench-readers: setup ## Whether a packet waits for those who read events, beside none (root; BENCH_QUICK=1 is short)
	$(CARGO) bench --locked --bench readers

backstop: setup ## How long the host's door is open when the ruleset is flushed, by what holds it (root)
	$(CARGO) test --locked --test netns -- backstop:: host_door::without --nocapture --test-threads 1

screenshots: ## The pictures of `decider top` in docs/images, and its screens as text in tests/top/screens
	DECIDER_SCREENS=write $(CARGO) test --locked --test top screen
	DECIDER_SCREENS=write $(CARGO) test --locked --test top pictures

check: ## Format, lints, documentation, dependencies
	@tests/setup rust
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings -A rustdoc::private_intra_doc_links' $(CARGO) doc --locked --no-deps --document-private-items
	@if command -v cargo-deny >/dev/null; then \
		$(CARGO) deny --locked check --hide-inclusion-graph; \
	else \
		echo 'check: dependencies were NOT looked at: no cargo-deny here (cargo install --locked cargo-deny)'; \
	fi

fuzz: setup ## Each fuzz target for a short while
	@tests/fuzz/run

build: ## The program, optimized: target/release/decider
	@tests/setup rust
	$(CARGO) build --locked --release

static: ## The same as one file that needs no library: target/x86_64-unknown-linux-musl/release/decider
	@tests/setup static
	$(CARGO) build --locked --release --target x86_64-unknown-linux-musl

deb: ## The Debian package: target/debian/decider_*.deb
	@tests/setup deb
	$(CARGO) build --locked --release
	@src/package/build
	@lintian --fail-on error,warning --tag-display-limit 0 $$(ls -t target/debian/decider_*.deb | head -n 1)

deb-test: deb ## The package in a clean Debian: installed, upgraded, removed, purged, with systemd too (root)
	@tests/setup package
	@# cargo-deb takes away what it made before.
	@mkdir -p target/package-test && cp "$$(ls -t target/debian/decider_*.deb | head -n 1)" target/package-test/first.deb
	@src/package/build --deb-version 9999-1 --output target/package-test/upgrade.deb
	@tests/package/run target/package-test/first.deb target/package-test/upgrade.deb \
		"$${DECIDER_ENVOY:-.deps/bin/envoy}"

vm-quick: ## The scenarios of vagrant/ in a virtual machine, by QEMU alone (root; VM_SUITE=trixie, VM_KEEP=1 and more)
	@tests/setup vm
	@vagrant/quick

vm: ## The same by Vagrant, as people use it: box, up, halt, up, destroy (root; target/vm/vm.log)
	@tests/setup vagrant
	@vagrant/up

install: build ## Program, manual pages, completions under PREFIX (/usr/local)
	install -d $(bin) $(man)
	install -m 755 target/release/decider $(bin)/decider
	target/release/decider man $(man)
	install -d $(share)/bash-completion/completions $(share)/zsh/site-functions $(share)/fish/vendor_completions.d
	target/release/decider completions bash >$(share)/bash-completion/completions/decider
	target/release/decider completions zsh >$(share)/zsh/site-functions/_decider
	target/release/decider completions fish >$(share)/fish/vendor_completions.d/decider.fish

clean: ## Remove what was built and downloaded here
	$(CARGO) clean
	rm -rf .deps tests/fuzz/target tests/fuzz/corpus tests/fuzz/artifacts

setup:
	@tests/setup
