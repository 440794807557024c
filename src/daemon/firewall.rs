use tokio::task::block_in_place;

use crate::kernel::{KernelError, Nft, Routing, RoutingPlan, Ruleset, interface_names};
use crate::queue::Shared;

/// The kernel's state in force: applied once, then kept.
pub struct Firewall {
    nft: Nft,
    routing: Routing,
}

impl Firewall {
    /// Brings a policy into force: the lockdown first, so that no door is open at any moment.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub async fn up(routing: Routing, ruleset: &Ruleset, shared: &Shared) -> Result<Self, KernelError> {
        routing.ensure(&routing_plan(shared)).await?;
        let nft = block_in_place(|| Nft::apply(ruleset))?;
        Ok(Self { nft, routing })
    }

    /// Looks whether the ruleset is as it was applied, and applies it again if not; says what was different.
    ///
    /// # Errors
    /// If it cannot be listed or applied.
    pub fn repair_ruleset(&mut self) -> Result<Option<String>, KernelError> {
        block_in_place(|| {
            let difference = self.nft.difference()?;
            if difference.is_some() {
                self.nft = Nft::apply(self.nft.ruleset())?;
            }
            Ok(difference)
        })
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
