use decider::dns::{Belief, Limits};
use decider::queue::Knowledge;

use crate::clocked::cost;
use crate::report::{Report, Row};
use crate::world::{FAMILIES, HOUR, NOW, Size, Told};

/// Learning an answer with one address: again, and a new one in a cache that is full, for which another has to go.
pub fn measure(size: &Size, report: &mut Report) {
    let (rules, observations) = (size.most_rules(), size.most_observations());
    for family in FAMILIES {
        let told = Told { family, rules };
        let knowledge = Knowledge::new(Limits::new(observations, HOUR, HOUR, HOUR));
        let learn = |n: usize| {
            let (client, addr) = told.pair(n);
            knowledge.about(addr).learn(NOW, client, addr, told.name(n), HOUR, Belief::Believed);
        };
        let full = observations + observations / 5;
        (0..full).for_each(learn);
        let hot = cost(size, |n| learn(full - 1 - n % 16));
        report.add(Row::of("observe again", hot).family(family).keys("hot").observations(observations));
        let new = cost(size, |n| learn(full + n));
        report.add(Row::of("observe, another goes", new).family(family).observations(observations));
    }
}
