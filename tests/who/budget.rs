use decider::model::Moment;
use decider::who::Budget;
use std::time::Duration;

fn taken(budget: &mut Budget) -> usize {
    std::iter::from_fn(|| budget.take().then_some(())).count()
}

#[test]
fn a_second_brings_what_it_may_and_a_quiet_time_no_more_than_what_fits() {
    let mut now = Moment::from_secs(100);
    let mut budget = Budget::new(10, 30, now);
    assert_eq!(taken(&mut budget), 30);
    budget.fill(now);
    assert_eq!(taken(&mut budget), 0);
    now = now.after(Duration::from_secs(2));
    budget.fill(now);
    assert_eq!(taken(&mut budget), 20);
    now = now.after(Duration::from_secs(3600));
    budget.fill(now);
    assert_eq!(taken(&mut budget), 30);
    assert_eq!(budget.taken(), 80);
}

#[test]
fn parts_of_a_step_add_up() {
    let mut now = Moment::from_secs(100);
    let mut budget = Budget::new(10, 30, now);
    assert_eq!(taken(&mut budget), 30);
    let mut steps = 0;
    for _ in 0..1000 {
        now = now.after(Duration::from_millis(1));
        budget.fill(now);
        steps += taken(&mut budget);
    }
    assert_eq!(steps, 10);
}

#[test]
fn a_clock_that_stands_still_or_goes_back_brings_nothing() {
    let mut budget = Budget::new(10, 30, Moment::from_secs(100));
    assert_eq!(taken(&mut budget), 30);
    budget.fill(Moment::from_secs(50));
    budget.fill(Moment::from_secs(100));
    assert_eq!(taken(&mut budget), 0);
}
