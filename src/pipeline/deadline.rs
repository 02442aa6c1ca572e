//! How long each step may take, in milliseconds of wall-clock time.

use super::stage::Stage;

/// One call of the model.
pub const MODEL_CALL: u64 = 300_000;

/// A whole job, where the user says nothing.
pub const JOB: u64 = 1_800_000;

/// The time of a stage that runs one command in the sandbox.
pub const fn of(stage: Stage) -> u64 {
    match stage {
        Stage::TypeCheck | Stage::Test | Stage::Boot => 60_000,
        _ => 30_000,
    }
}
