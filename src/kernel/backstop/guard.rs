use std::collections::BTreeSet;

use crate::kernel::KernelError;
use crate::kernel::links::links;
use crate::model::MarkMask;

use super::filters::Filters;
use super::loader::Loaded;
use super::plan::BackstopPlan;

/// Keeps the backstop on the interfaces that there are.
pub struct Backstop {
    /// Whether the program may ask whose namespace a socket is of, where the kernel can tell (6.13 and newer).
    pub tells_namespaces: bool,
    filters: Filters,
    /// For the marks that it was loaded for; why it could not be loaded is not tried again.
    program: Option<(MarkMask, Result<Loaded, String>)>,
    /// The interfaces, by index, that it was on.
    held: BTreeSet<i32>,
}

/// On how many interfaces something was not as planned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackstopChanges {
    /// Those that had not been held before, or are not to be held any more.
    pub followed: usize,
    /// Those where another program had taken it away or changed it.
    pub repaired: usize,
}

impl Backstop {
    /// Opens the socket; its task ends with this. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// If the system gives no socket.
    pub fn connect() -> Result<Self, KernelError> {
        Ok(Self { tells_namespaces: true, filters: Filters::connect()?, program: None, held: BTreeSet::new() })
    }

    /// Loads the program, for a plan that may come later: a process that has given up its rights can load none. Whether
    /// that worked is told when it is needed.
    pub fn load(&mut self, marks: MarkMask) {
        let is_loaded = self.program.as_ref().is_some_and(|(for_marks, _)| *for_marks == marks);
        if !is_loaded {
            let loaded = Loaded::new(marks, self.tells_namespaces);
            self.program = Some((marks, loaded.map_err(|error| error.to_string())));
        }
    }

    /// Adds what is missing of the plan, or without one removes what is decider's. Each interface is tried, whatever
    /// comes of the others.
    ///
    /// # Errors
    /// If the program cannot be loaded, or the first interface that cannot have it.
    pub async fn ensure(&mut self, plan: Option<&BackstopPlan>) -> Result<BackstopChanges, KernelError> {
        let Some(plan) = plan else {
            self.held.clear();
            let followed = self.filters.remove_all(&links()?).await?.len();
            return Ok(BackstopChanges { followed, repaired: 0 });
        };
        self.load(plan.marks);
        let Self { filters, program, held, .. } = self;
        let Some((_, loaded)) = program else { return Ok(BackstopChanges::default()) };
        let loaded = loaded.as_ref().map_err(|message| KernelError::NoBackstop(message.clone()))?;
        held.retain(|index| plan.links.iter().any(|link| link.index == *index));
        let (mut changes, mut first_error) = (BackstopChanges::default(), None);
        for link in &plan.links {
            match filters.ensure(link, loaded).await {
                Ok(false) => _ = held.insert(link.index),
                Ok(true) if held.insert(link.index) => changes.followed += 1,
                Ok(true) => changes.repaired += 1,
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        first_error.map_or(Ok(changes), Err)
    }
}
