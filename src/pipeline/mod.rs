//! What a plugin-creation job does, one file a stage.

mod report;
mod stage;

pub use report::{Check, CheckStatus, CreationReport, ReportedFile, Tokens, Verdict, Where};
pub use stage::Stage;
