//! What an error of `PostgreSQL` means to a user.

use tokio_postgres::Error as PostgresError;
use tokio_postgres::error::SqlState;

use crate::error::{Code, Error};

/// The coded error of an error of `PostgreSQL`. Its text never holds the address or the password.
pub fn coded(error: &PostgresError) -> Error {
    let Some(told) = error.as_db_error() else {
        return unavailable(&chain(error));
    };
    let state = told.code();
    let class = &state.code()[..2.min(state.code().len())];
    let (code, message) = match class {
        _ if *state == SqlState::DISK_FULL => (
            Code::StoreFull,
            "the disk of the database server is full; make room and try again",
        ),
        _ if *state == SqlState::UNIQUE_VIOLATION => (
            Code::JobDuplicate,
            "a live job has the same unique key; wait for it or cancel it",
        ),
        "28" => (
            Code::StoreUnavailable,
            "the database server refused the login; check user, password and pg_hba.conf",
        ),
        "3D" => (
            Code::StoreUnavailable,
            "the database of the `store` option does not exist; create it",
        ),
        "42" => (
            Code::StoreUnavailable,
            "the database refused a statement; check that the user may create and use the schema `auton8n`",
        ),
        "22" | "54" => (
            Code::OptionInvalid,
            "the database cannot hold this value; it is too big or has a NUL character",
        ),
        _ => (Code::StoreUnavailable, "the database server answered with an error"),
    };
    Error::new(code, message).because(format!("{} ({})", told.message(), state.code()))
}

/// The server cannot be reached.
pub fn unavailable(why: &str) -> Error {
    Error::new(
        Code::StoreUnavailable,
        "the database server cannot be reached; check that it runs and what `store` says (a queue that is open goes on by itself)",
    )
    .because(why.to_owned())
}

/// Rolled back by the server for another transaction's sake.
pub fn is_rolled_back(error: &PostgresError) -> bool {
    error
        .code()
        .is_some_and(|code| *code == SqlState::T_R_DEADLOCK_DETECTED || *code == SqlState::T_R_SERIALIZATION_FAILURE)
}

/// The connection, not the statement, is at fault.
pub fn is_connection(error: &PostgresError) -> bool {
    error.code().map_or_else(
        || {
            error.is_closed()
                || std::error::Error::source(error).is_some_and(<dyn std::error::Error + 'static>::is::<std::io::Error>)
        },
        |code| ["08", "57"].iter().any(|class| code.code().starts_with(class)),
    )
}

fn chain(error: &PostgresError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(found) = cause {
        if !text.contains(&found.to_string()) {
            text = format!("{text}: {found}");
        }
        cause = found.source();
    }
    text
}
