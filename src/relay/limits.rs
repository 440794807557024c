//! What a client may take of the relay. One message of 64 KiB in each direction, one that is made up, and the questions that
//! wait come to 320 KiB for a connection at worst: 20 MiB for a client, 320 MiB for all. An ordinary connection takes some 20.

use std::time::Duration;

/// Connections of all clients together.
pub const CONNECTIONS: usize = 1_024;

/// Connections of one client address.
pub const PER_CLIENT: usize = 64;

/// Questions of a connection that may wait for their answers; then no more are read.
pub const OUTSTANDING: usize = 128;

/// How long an answer may take. Resolvers give up a name sooner than this.
pub const ANSWER: Duration = Duration::from_secs(60);

/// How long a new connection may take to bring its first whole question.
pub const FIRST_QUESTION: Duration = Duration::from_secs(10);

/// How long a connection may go without a whole message in either direction.
pub const IDLE: Duration = Duration::from_secs(30);

/// How long a resolver may take to accept a connection.
pub const CONNECT: Duration = Duration::from_secs(5);

/// How long one message may take to be taken by whom it is for.
pub const WRITE: Duration = Duration::from_secs(10);

/// Bytes that a connection's buffer begins with, in each direction: most messages fit.
pub const BUFFER: usize = 2_048;
