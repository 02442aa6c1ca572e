//! What an error of `SQLite` means to a user.

use rusqlite::ErrorCode;

use crate::error::{Code, Error};

/// The coded error of an error of `SQLite`.
pub fn coded(error: rusqlite::Error) -> Error {
    let Some(code) = error.sqlite_error_code() else {
        return Error::new(Code::StoreUnavailable, "the job store answered with an error").because(error);
    };
    let (code, message) = match code {
        ErrorCode::DiskFull => (
            Code::StoreFull,
            "the disk of the job store is full; make room and try again",
        ),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => (
            Code::StoreCorrupt,
            "the job store is damaged; open it again, and the damaged file is kept aside",
        ),
        ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => (
            Code::DataDirUnwritable,
            "the job store's file cannot be written; check its permissions",
        ),
        ErrorCode::ConstraintViolation => (
            Code::JobDuplicate,
            "a live job has the same unique key; wait for it or cancel it",
        ),
        ErrorCode::TooBig => (Code::OptionInvalid, "the job is too big to be stored"),
        _ => (Code::StoreUnavailable, "the job store answered with an error"),
    };
    Error::new(code, message).because(error)
}

/// Whether it tells that the file is damaged.
pub fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// The same as an error of `SQLite`.
pub fn damage(found: String) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(code, Some(found))
}
