use serde_json::Value;

/// What `nft -j list ruleset` says, less decider's own tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// Chains that the kernel calls.
    pub bases: Vec<BaseChain>,
    /// All rules.
    pub rules: Vec<Rule>,
    /// The names of all tables and chains.
    pub names: Vec<String>,
}

/// A chain, as nft names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainId {
    /// `ip`, `ip6`, `inet` ...
    pub family: String,
    /// Its table.
    pub table: String,
    /// Its name.
    pub chain: String,
}

/// A chain that the kernel calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseChain {
    /// Which.
    pub id: ChainId,
    /// Where: `prerouting`, `input` ...
    pub hook: String,
    /// Whether it drops what no rule decides on.
    pub drops: bool,
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its chain.
    pub id: ChainId,
    /// Its statements, as nft writes them.
    pub statements: Vec<Value>,
}

impl Listing {
    /// Reads it. What is not understood is left out.
    #[must_use]
    pub fn read(json: &Value, own_tables: &[&str]) -> Self {
        let is_others = |item: &&Value, key: &str| !own_tables.contains(&text(item, key).as_str());
        let items = json.get("nftables").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut listing = Self::default();
        for item in items {
            if let Some(table) = item.get("table").filter(|table| is_others(table, "name")) {
                listing.names.push(text(table, "name"));
            } else if let Some(chain) = item.get("chain").filter(|chain| is_others(chain, "table")) {
                listing.names.push(text(chain, "name"));
                listing.bases.extend(base(chain));
            } else if let Some(rule) = item.get("rule").filter(|rule| is_others(rule, "table")) {
                let statements = rule.get("expr").and_then(Value::as_array).cloned().unwrap_or_default();
                listing.rules.push(Rule { id: id(rule, "chain"), statements });
            }
        }
        listing
    }

    /// The rules that a packet can meet in a chain and those behind it, in no order.
    #[must_use]
    pub fn reachable(&self, from: &ChainId) -> Vec<&Rule> {
        let mut chains = vec![from.clone()];
        let mut next = 0;
        while let Some(chain) = chains.get(next).cloned() {
            next += 1;
            for target in self.of(&chain).flat_map(Rule::targets) {
                let target = ChainId { chain: target.to_owned(), ..chain.clone() };
                if !chains.contains(&target) {
                    chains.push(target);
                }
            }
        }
        self.rules.iter().filter(|rule| chains.contains(&rule.id)).collect()
    }

    /// The rules of one chain, in their order.
    #[must_use]
    pub fn of<'a>(&'a self, chain: &'a ChainId) -> impl DoubleEndedIterator<Item = &'a Rule> {
        self.rules.iter().filter(move |rule| rule.id == *chain)
    }
}

impl Rule {
    /// Whether it has a statement of this kind.
    #[must_use]
    pub fn has(&self, kind: &str) -> bool {
        self.statements.iter().any(|statement| statement.get(kind).is_some())
    }

    /// Whether it refuses.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.has("drop") || self.has("reject")
    }

    /// Whether it is about every packet: nothing is compared.
    #[must_use]
    pub fn is_for_all(&self) -> bool {
        !self.has("match") && !self.has("xt")
    }

    fn targets(&self) -> impl Iterator<Item = &str> {
        let verdicts = self.statements.iter().flat_map(|statement| [statement.get("jump"), statement.get("goto")]);
        let mapped = self.statements.iter().filter_map(|statement| statement.pointer("/vmap/data/set")?.as_array());
        let mapped = mapped.flatten().filter_map(|pair| pair.get(1)).flat_map(|to| [to.get("jump"), to.get("goto")]);
        verdicts.chain(mapped).flatten().filter_map(|target| target.get("target")?.as_str())
    }
}

fn base(chain: &Value) -> Option<BaseChain> {
    let hook = chain.get("hook")?.as_str()?.to_owned();
    Some(BaseChain { id: id(chain, "name"), hook, drops: text(chain, "policy") == "drop" })
}

fn id(item: &Value, name: &str) -> ChainId {
    ChainId { family: text(item, "family"), table: text(item, "table"), chain: text(item, name) }
}

fn text(item: &Value, key: &str) -> String {
    item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}
