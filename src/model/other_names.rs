use arrayvec::ArrayVec;

use super::DomainName;

/// Other names that were in question for a decision: the first four, kept without allocating.
pub type OtherNames = ArrayVec<DomainName, 4>;
