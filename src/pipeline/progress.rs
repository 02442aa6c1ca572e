//! Whether a repair got further, and when to stop.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::report::{Check, CheckStatus};
use super::stage::Stage;
use crate::files::FileSet;

/// Rounds without progress after which a job ends.
const MAX_STALE: u32 = 2;

/// The best round so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Progress {
    best: Option<Score>,
    stale: u32,
    seen: Vec<String>,
}

/// How far a round got: the stage that refused it, then how much was to be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Score {
    stage: usize,
    problems: usize,
}

impl Score {
    const fn beats(self, other: Self) -> bool {
        self.stage > other.stage || (self.stage == other.stage && self.problems < other.problems)
    }
}

impl Progress {
    /// Takes in a failed round; `Some` says why no further one is worth it.
    pub fn after(&mut self, checks: &[Check], files: &FileSet) -> Option<&'static str> {
        let digest = digest(files);
        if !files.is_empty() && self.seen.contains(&digest) {
            return Some("the model answered with the same files again");
        }
        self.seen.push(digest);
        let score = score(checks);
        if self.best.is_none_or(|best| score.beats(best)) {
            self.best = Some(score);
            self.stale = 0;
            return None;
        }
        self.stale += 1;
        (self.stale >= MAX_STALE).then_some("the last rounds brought no progress")
    }
}

fn score(checks: &[Check]) -> Score {
    let failed = |stage: &Stage| {
        checks
            .iter()
            .any(|check| check.name == stage.as_str() && check.status == CheckStatus::Failed)
    };
    Score {
        stage: Stage::ALL.iter().position(failed).unwrap_or(0),
        problems: checks.iter().map(|check| check.diagnostics.len()).sum(),
    }
}

fn digest(files: &FileSet) -> String {
    let mut hash = Sha256::new();
    for (path, bytes) in files {
        hash.update((path.len() as u64).to_le_bytes());
        hash.update(path);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    hex::encode(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostic;
    use crate::pipeline::report::Where;

    fn failed(stage: Stage, problems: usize) -> Vec<Check> {
        vec![Check::of(stage, Where::Sandbox).judged(vec![Diagnostic::of("a", "b", "c"); problems])]
    }

    fn files(text: &str) -> FileSet {
        [("src/index.ts".to_owned(), text.as_bytes().to_vec())].into()
    }

    #[test]
    fn a_round_that_gets_further_or_mends_something_is_progress() {
        let mut progress = Progress::default();
        assert_eq!(progress.after(&failed(Stage::TypeCheck, 3), &files("a")), None);
        assert_eq!(progress.after(&failed(Stage::TypeCheck, 2), &files("b")), None);
        assert_eq!(progress.after(&failed(Stage::Boot, 9), &files("c")), None);
        assert_eq!(progress.after(&failed(Stage::Lint, 1), &files("d")), None);
        assert!(progress.after(&failed(Stage::Boot, 9), &files("e")).is_some());
    }

    #[test]
    fn the_same_files_end_it_at_once() {
        let mut progress = Progress::default();
        assert_eq!(progress.after(&failed(Stage::TypeCheck, 3), &files("a")), None);
        assert!(progress.after(&failed(Stage::TypeCheck, 3), &files("a")).is_some());
    }
}
