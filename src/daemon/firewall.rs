use tokio::task::block_in_place;

use crate::kernel::{KernelError, Nft, Presence, Routing, RoutingPlan, Ruleset, Update, interface_names};
use crate::policy::Policy;
use crate::queue::Shared;

/// The kernel's state in force: applied once, then kept.
pub struct Firewall {
    nft: Nft,
    routing: Routing,
    /// How the ruleset comes to know that this process is there.
    presence: Presence,
    bridges: Bridges,
}

/// Whether bridges hand their packets to netfilter; it gets in front of the ruleset when the first one comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bridges {
    /// There are none.
    None,
    /// They did before the ruleset was applied.
    Behind,
    /// They do since.
    InFront,
}

impl Firewall {
    /// Brings a policy into force: the lockdown first, so that no door is open at any moment.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub async fn up(
        routing: Routing,
        mut presence: Presence,
        ruleset: &Ruleset,
        shared: &Shared,
    ) -> Result<Self, KernelError> {
        routing.ensure(&routing_plan(shared)).await?;
        let bridges = if routing.bridges_are_filtered().await? { Bridges::Behind } else { Bridges::None };
        let nft = block_in_place(|| presence.show(ruleset.attendance).and_then(|()| Nft::apply(ruleset)))?;
        Ok(Self { nft, routing, presence, bridges })
    }

    /// Puts another policy's ruleset and routing in force, in the place of those that are; says what came of it. If one of
    /// the two cannot be had, both are as before.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub async fn change(&mut self, before: &Policy, after: &Policy, ruleset: &Ruleset) -> Result<bool, KernelError> {
        let old = self.nft.clone();
        let update = match self.put(ruleset) {
            Ok(update) => update,
            Err(error) => {
                // What it came to is unknown: it may differ from what was wanted.
                self.presence.show(old.ruleset().attendance)?;
                self.nft = block_in_place(|| Nft::apply(old.ruleset()))?;
                return Err(error);
            }
        };
        self.nft = update.nft;
        if let Err(error) = self.routing.ensure(&RoutingPlan::new(after, &interface_names())).await {
            self.put(old.ruleset()).map(|back| self.nft = back.nft)?;
            self.routing.ensure(&RoutingPlan::new(before, &interface_names())).await?;
            return Err(error);
        }
        Ok(update.replaced)
    }

    fn put(&mut self, ruleset: &Ruleset) -> Result<Update, KernelError> {
        // What waits for a mark of the other policy goes to the queue.
        self.presence.show(ruleset.attendance)?;
        block_in_place(|| match self.bridges {
            Bridges::None | Bridges::Behind => self.nft.update(ruleset),
            // It has to be applied anew in any case.
            Bridges::InFront => Nft::apply(ruleset).map(|nft| Update { nft, replaced: true }),
        })
    }

    /// Looks whether the ruleset is as it was applied, and applies it again if not; says what was different.
    ///
    /// # Errors
    /// If it cannot be listed or applied.
    pub fn repair_ruleset(&mut self) -> Result<Option<String>, KernelError> {
        block_in_place(|| {
            let overtaken = || Some("bridges hand their packets to netfilter now".to_owned());
            let difference = match self.bridges {
                Bridges::InFront => overtaken(),
                Bridges::None | Bridges::Behind => self.nft.difference()?,
            };
            if difference.is_some() {
                self.nft = Nft::apply(self.nft.ruleset())?;
                if self.bridges == Bridges::InFront {
                    self.bridges = Bridges::Behind;
                }
            }
            Ok(difference)
        })
    }

    /// Applies the ruleset again, whatever there is.
    ///
    /// # Errors
    /// If it cannot be applied.
    pub fn restore_ruleset(&mut self) -> Result<(), KernelError> {
        self.nft = block_in_place(|| Nft::apply(self.nft.ruleset()))?;
        Ok(())
    }

    /// Looks whether the first bridge has come, so that the ruleset has to be applied again.
    ///
    /// # Errors
    /// If the interfaces cannot be listed.
    pub async fn is_overtaken(&mut self) -> Result<bool, KernelError> {
        if self.bridges == Bridges::None && self.routing.bridges_are_filtered().await? {
            self.bridges = Bridges::InFront;
        }
        Ok(self.bridges == Bridges::InFront)
    }

    /// Brings routing to what the policy needs with the interfaces there are now; says how much was changed.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub async fn repair_routing(&self, shared: &Shared) -> Result<usize, KernelError> {
        self.routing.ensure(&routing_plan(shared)).await
    }
}

fn routing_plan(shared: &Shared) -> RoutingPlan {
    RoutingPlan::new(&shared.published.load().policy, &interface_names())
}
