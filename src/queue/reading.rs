//! Reads what a caller wrote as JSON; what is wrong is told in the words of its user.

use serde::de::DeserializeOwned;

use crate::error::{Code, Error, Result};

/// Reads JSON; `what` names it in errors.
pub fn read<T: DeserializeOwned>(what: &str, json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| {
        // Where it is well formed, it is read once more to find the place.
        let mut again = serde_json::Deserializer::from_str(json);
        let (place, why) = match serde_path_to_error::deserialize::<_, T>(&mut again) {
            Err(found) => (option(&found.path().to_string()), without_place(found.inner())),
            Ok(_) => (None, without_place(&error)),
        };
        let message = match (place, demand(&why)) {
            (Some(option), Some(demand)) => format!("{what}: `{option}` {demand}"),
            (Some(option), None) => format!("{what}: `{option}`: {why}"),
            (None, Some(demand)) => format!("{what} {demand}"),
            (None, None) => format!("{what}: {why}"),
        };
        Error::new(Code::OptionInvalid, message)
    })
}

/// The name of an option by its path: its place in a batch, and that it is among the options, says nothing.
fn option(path: &str) -> Option<String> {
    let names = path
        .split('.')
        .filter(|part| !part.starts_with('[') && *part != "options");
    let name = names.collect::<Vec<_>>().join(".");
    (!name.is_empty() && name != "?").then_some(name)
}

fn without_place(error: &serde_json::Error) -> String {
    let at = format!(" at line {} column {}", error.line(), error.column());
    error.to_string().replace(&at, "")
}

/// What is demanded in place of what was found, where a type is wrong.
fn demand(why: &str) -> Option<String> {
    let found = why
        .strip_prefix("invalid type: ")
        .or_else(|| why.strip_prefix("invalid value: "))?;
    let (found, expected) = found.rsplit_once(", expected ")?;
    let wanted = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        _ if expected.starts_with("struct ") => "an object",
        _ if expected.contains("enum ") => "one of the words that its documentation says",
        other => other,
    };
    Some(format!("must be {wanted}, not {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{Limits, NewJob, ScheduleOptions};
    use crate::store::JobFilter;

    fn told<T: DeserializeOwned>(json: &str) -> String {
        let error = read::<T>("the options", json).err().unwrap();
        assert_eq!(error.code(), Code::OptionInvalid);
        error.message().to_owned()
    }

    #[test]
    fn every_option_of_a_job_is_named() {
        for (option, wrong) in [
            ("delay", r#""5""#),
            ("timeout", "-1"),
            ("retries", "1.5"),
            ("retryDelay", "{}"),
            ("retryBackoff", r#""often""#),
            ("retryBackoff", "7"),
            ("priority", r#""high""#),
            ("priority", "9"),
            ("jitter", r#""a""#),
            ("removeOnComplete", "1"),
            ("removeOnFail", r#""no""#),
            ("uniqueKey", "5"),
            ("onDuplicate", "true"),
            ("fairKey", "[]"),
            ("dependsOn", r#""id""#),
            ("onParentFailure", r#""stop""#),
            ("runAt", r#""now""#),
            ("trace", "1"),
            ("trace.traceparent", "1"),
        ] {
            let value = match option.split_once('.') {
                Some((outer, inner)) => format!(r#"{{"{outer}":{{"{inner}":{wrong}}}}}"#),
                None => format!(r#"{{"{option}":{wrong}}}"#),
            };
            let message = told::<Vec<NewJob>>(&format!(r#"[{{"name":"a","data":{{"x":1}},"options":{value}}}]"#));
            assert!(message.contains(&format!("`{option}`")), "{message}");
            for word in ["u8", "u32", "u64", "f64", "i64", "struct", "expected a", "invalid type"] {
                assert!(!message.contains(word), "{message}");
            }
        }
    }

    #[test]
    fn other_options_are_named_too() {
        assert_eq!(
            told::<Limits>(r#"{"perKey":{"rate":{"count":"x","per":1}}}"#),
            r#"the options: `perKey.rate.count` must be a whole number, 0 or more, not string "x""#
        );
        assert!(told::<JobFilter>(r#"{"limit":"x"}"#).contains("`limit`"));
        assert!(told::<JobFilter>(r#"{"status":"x"}"#).contains("`status`: unknown variant"));
        assert!(told::<ScheduleOptions>(r#"{"cron":1,"name":"a"}"#).contains("`cron` must be a string"));
        assert!(told::<Limits>("{").contains("EOF"));
    }
}
