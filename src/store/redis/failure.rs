//! What an error of Redis means to a user.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::error::{Code, Error};

/// The coded error of an error of Redis. Its text never holds the address or the password.
pub fn coded(error: &RedisError) -> Error {
    if is_connection(error) {
        return unavailable(&error.to_string());
    }
    let told = format!(
        "{} {}",
        error.code().unwrap_or_default(),
        error.detail().unwrap_or_default()
    );
    // An error of a command within a script is told inside of the script's, by older servers.
    let has = |word: &str| told.split(|c: char| !c.is_ascii_uppercase()).any(|part| part == word);
    let (code, message) = if has("OOM") {
        (
            Code::StoreFull,
            "the memory of the Redis server is full; raise its `maxmemory`, or remove jobs",
        )
    } else if has("MISCONF") {
        (
            Code::StoreFull,
            "the Redis server cannot write to its disk; make room and try again",
        )
    } else if error.kind() == ErrorKind::AuthenticationFailed || ["NOAUTH", "WRONGPASS", "NOPERM"].into_iter().any(has)
    {
        (
            Code::StoreUnavailable,
            "the Redis server refused the login or the user may not do this; check user, password and its ACL",
        )
    } else {
        (Code::StoreUnavailable, "the Redis server answered with an error")
    };
    let told = match told.trim() {
        "" => error.to_string(),
        told => told.to_owned(),
    };
    Error::new(code, message).because(told)
}

/// The server cannot be reached.
pub fn unavailable(why: &str) -> Error {
    Error::new(
        Code::StoreUnavailable,
        "the Redis server cannot be reached; check that it runs and what `store` says (a queue that is open goes on by itself)",
    )
    .because(why.to_owned())
}

/// The connection is of no use any more: the server does not answer on it, or became another one.
pub fn is_connection(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, MasterDown, ReadOnly};
    matches!(
        error.kind(),
        ErrorKind::Io | ErrorKind::Parse | ErrorKind::Client | ErrorKind::Server(BusyLoading | MasterDown | ReadOnly)
    ) || error.is_timeout()
        || error.is_connection_dropped()
}

/// The server does not know the script, since it was started anew.
pub fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
