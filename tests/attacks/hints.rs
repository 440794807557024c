//! HTTPS and SVCB records: their address hints teach, and nothing else in them.

use crate::answers::check;
use crate::messages::hints::CASES;

#[test]
fn each_answer_is_what_it_is() {
    check(CASES);
}
