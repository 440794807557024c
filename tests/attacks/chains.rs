//! CNAME chains: what is reached from the question's name within the answer, and nothing else.

use crate::answers::check;
use crate::messages::chains::CASES;

#[test]
fn each_answer_is_what_it_is() {
    check(CASES);
}
