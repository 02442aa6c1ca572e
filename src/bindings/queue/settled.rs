//! What attempts in JavaScript answer.

use std::fmt::{self, Formatter};

use serde::de::{Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{Code, Error};
use crate::queue::{self, AttemptError};

pub type Outcome = Result<Value, AttemptError>;

/// All that ended together; where one cannot be read, only that one fails.
pub fn read(settled: &str) -> Vec<Settled> {
    serde_json::from_str(settled).unwrap_or_else(|_| each_alone(settled))
}

/// What an attempt in JavaScript answers: its number, its result, and what it threw.
pub struct Settled(pub u32, pub Value, pub Option<Thrown>);

impl<'de> Deserialize<'de> for Settled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// A number alone answered nothing.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Settled;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("the number of an attempt, or it with its result and what it threw")
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Settled, E> {
        let number = u32::try_from(number).map_err(E::custom)?;
        Ok(Settled(number, Value::Null, None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Settled, A::Error> {
        let missing = |n| A::Error::invalid_length(n, &self);
        let number = all.next_element()?.ok_or_else(|| missing(0))?;
        let result = all.next_element()?.ok_or_else(|| missing(1))?;
        let thrown = all.next_element()?.ok_or_else(|| missing(2))?;
        Ok(Settled(number, result, thrown))
    }
}

/// As much of it as can always be read.
#[derive(Deserialize)]
struct Numbered(u32, IgnoredAny, IgnoredAny);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Thrown {
    message: String,
    code: Option<String>,
    abort: bool,
    retry_after: Option<u64>,
}

impl Default for Thrown {
    fn default() -> Self {
        Self {
            message: "the handler's answer is not understood".to_owned(),
            code: None,
            abort: false,
            retry_after: None,
        }
    }
}

/// Where one answer is not understood, its attempt fails with that, and no other does.
fn each_alone(settled: &str) -> Vec<Settled> {
    let all: Vec<&RawValue> = serde_json::from_str(settled).unwrap_or_default();
    let alone = |one: &RawValue| {
        serde_json::from_str::<Settled>(one.get()).or_else(|error| {
            let Numbered(attempt, ..) = serde_json::from_str(one.get())?;
            let thrown = Thrown {
                message: format!("what the handler answered cannot be stored: {error}"),
                ..Thrown::default()
            };
            Ok::<_, serde_json::Error>(Settled(attempt, Value::Null, Some(thrown)))
        })
    };
    all.into_iter().filter_map(|one| alone(one).ok()).collect()
}

#[allow(
    clippy::result_large_err,
    reason = "an attempt ends once, and its error is moved, not copied, on the way"
)]
pub fn outcome(result: Value, thrown: Option<Thrown>) -> Outcome {
    let Some(thrown) = thrown else {
        return match queue::check_result(&result) {
            Ok(()) => Ok(result),
            Err(error) => Err(AttemptError::Retry(Error::new(Code::HandlerFailed, error.message()))),
        };
    };
    if thrown.abort {
        let result = (!result.is_null()).then_some(result);
        return Err(AttemptError::Abort(
            Error::new(Code::JobAborted, thrown.message),
            result,
        ));
    }
    let known = thrown
        .code
        .and_then(|code| Code::ALL.iter().find(|known| known.as_str() == code));
    let error = Error::new(known.copied().unwrap_or(Code::HandlerFailed), thrown.message);
    Err(match thrown.retry_after {
        Some(delay) => AttemptError::RetryAfter(error, delay),
        None => AttemptError::Retry(error),
    })
}
