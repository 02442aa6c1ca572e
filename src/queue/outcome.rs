//! What becomes of a job when an attempt of it has ended: decided here, done elsewhere.

use serde_json::Value;

use super::backoff::retry_delay;
use super::{AttemptError, JobFailure, JobOptions};
use crate::error::Error;
use crate::store::Ending;

/// The longest message of a failure that is kept.
const MESSAGE: usize = 8_192;

/// `counted` are the attempts that count, the ended one included; `random` is 0 to 1.
pub fn ending(
    outcome: Result<Value, AttemptError>,
    options: &JobOptions,
    counted: u32,
    now: i64,
    random: f64,
) -> Ending {
    match outcome {
        Ok(result) => Ending::Completed { result },
        Err(AttemptError::Abort(error, result)) => Ending::Failed {
            failure: failure(&error),
            result,
        },
        Err(AttemptError::Wait(error, delay)) => Ending::Retry {
            failure: failure(&error),
            run_at: later(now, delay),
            free: true,
        },
        Err(AttemptError::Retry(error) | AttemptError::RetryAfter(error, _)) if counted > options.retries => {
            Ending::Failed {
                failure: failure(&error),
                result: None,
            }
        }
        Err(AttemptError::Retry(error)) => {
            let run_at = later(now, retry_delay(options, counted, random));
            Ending::Retry {
                failure: failure(&error),
                run_at,
                free: false,
            }
        }
        Err(AttemptError::RetryAfter(error, delay)) => Ending::Retry {
            failure: failure(&error),
            run_at: later(now, delay),
            free: false,
        },
    }
}

fn later(now: i64, delay: u64) -> i64 {
    now.saturating_add_unsigned(delay)
}

/// What is kept of an error.
pub fn failure(error: &Error) -> JobFailure {
    let mut message = error.message().to_owned();
    if let Some(cause) = std::error::Error::source(error) {
        message.push_str(": ");
        message.push_str(&cause.to_string());
    }
    JobFailure {
        code: error.code().as_str().to_owned(),
        message: cut(message, MESSAGE),
    }
}

/// At most `bytes` of a text, cut between characters.
pub fn cut(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        let end = (0..=bytes).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[allow(
        clippy::result_large_err,
        reason = "an attempt ends once, and its error is moved, not copied, on the way"
    )]
    fn retry() -> Result<Value, AttemptError> {
        Err(AttemptError::Retry(Error::new(Code::HandlerFailed, "no")))
    }

    #[test]
    fn three_retries_mean_four_attempts() {
        let options = JobOptions::default();
        for counted in 1..=3 {
            assert!(matches!(
                ending(retry(), &options, counted, 0, 0.0),
                Ending::Retry { .. }
            ));
        }
        let Ending::Failed { failure, .. } = ending(retry(), &options, 4, 0, 0.0) else {
            panic!()
        };
        assert_eq!(failure.code, "AUTON8N_HANDLER_FAILED");
    }

    #[test]
    fn an_abort_is_final_and_keeps_its_result() {
        let error = AttemptError::Abort(Error::new(Code::ChecksFailed, "no"), Some(Value::Bool(true)));
        let Ending::Failed { result, .. } = ending(Err(error), &JobOptions::default(), 1, 0, 0.0) else {
            panic!()
        };
        assert_eq!(result, Some(Value::Bool(true)));
    }

    #[test]
    fn a_wait_is_free_even_after_the_last_attempt() {
        let error = AttemptError::Wait(Error::new(Code::ModelNeeded, "give one"), 500);
        let ended = ending(Err(error), &JobOptions::default(), 9, 100, 0.0);
        assert!(matches!(
            ended,
            Ending::Retry {
                run_at: 600,
                free: true,
                ..
            }
        ));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("aéb".into(), 2), "a…");
        assert_eq!(cut("ab".into(), 2), "ab");
    }
}
