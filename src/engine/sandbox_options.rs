//! The sandbox's options as users give them: an engine, and limits in the units of people.

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Code, Error, Result};
use crate::sandbox::{EngineChoice, Limits, PoolOptions, SandboxOptions};

/// What crosses the border.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Given {
    engine: Option<String>,
    image: Option<String>,
    runtime: Option<String>,
    memory: Option<Size>,
    cpus: Option<f64>,
    pids: Option<u32>,
    tmpfs: Option<Size>,
    work: Option<Size>,
    allow_reduced: Vec<String>,
    pool: Option<u32>,
}

/// Bytes, or a text such as `512m`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Size {
    Bytes(u64),
    Text(String),
}

const MEBI: u64 = 1 << 20;

/// Reads options and checks their ranges.
pub fn parse(value: Value) -> Result<(SandboxOptions, Limits)> {
    let given: Given = match value {
        Value::Null => Given::default(),
        other => serde_json::from_value(other).map_err(|error| {
            Error::new(
                Code::OptionInvalid,
                format!("the options of `sandbox` are not right: {error}"),
            )
        })?,
    };
    let engine = given
        .engine
        .as_deref()
        .map_or(Ok(EngineChoice::Auto), EngineChoice::parse)?;
    let standard = Limits::default();
    let limits = Limits {
        memory: size("memory", given.memory, standard.memory, 64 * MEBI)?,
        cpus: within("cpus", given.cpus.unwrap_or(standard.cpus), 0.1, 64.0)?,
        pids: within("pids", f64::from(given.pids.unwrap_or(standard.pids)), 32.0, 4_096.0)? as u32,
        tmpfs: size("tmpfs", given.tmpfs, standard.tmpfs, MEBI)?,
        work: size("work", given.work, standard.work, MEBI)?,
        output: standard.output,
    };
    let mut pool = PoolOptions::default();
    if let Some(size) = given.pool {
        pool.size = within("pool", f64::from(size), 0.0, PoolOptions::MOST as f64)? as usize;
    }
    Ok((
        SandboxOptions {
            engine,
            image: given.image,
            runtime: given.runtime,
            allow_reduced: given.allow_reduced,
            pool,
        },
        limits,
    ))
}

fn size(name: &str, given: Option<Size>, standard: u64, least: u64) -> Result<u64> {
    let bytes = match given {
        None => standard,
        Some(Size::Bytes(bytes)) => bytes,
        Some(Size::Text(text)) => {
            bytes_of(&text).ok_or_else(|| wrong(name, "a number of bytes, or a text such as `512m` or `1g`"))?
        }
    };
    if bytes < least {
        return Err(wrong(name, &format!("at least {}m", least / MEBI)));
    }
    Ok(bytes)
}

fn bytes_of(text: &str) -> Option<u64> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &lower[digits.len()..] {
        "" | "b" => 1,
        "k" | "kb" => 1 << 10,
        "m" | "mb" => MEBI,
        "g" | "gb" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn within(name: &str, value: f64, low: f64, high: f64) -> Result<f64> {
    if (low..=high).contains(&value) {
        Ok(value)
    } else {
        Err(wrong(name, &format!("{low} to {high}")))
    }
}

fn wrong(name: &str, what: &str) -> Error {
    Error::new(Code::OptionInvalid, format!("`sandbox.{name}` must be {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sizes_are_read_in_the_units_of_people() {
        for (text, bytes) in [
            ("512m", 512 << 20),
            ("1g", 1 << 30),
            ("65536k", 64 << 20),
            ("67108864", 64 << 20),
        ] {
            assert_eq!(parse(json!({ "memory": text })).unwrap().1.memory, bytes, "{text}");
        }
        assert_eq!(parse(json!({ "memory": 134_217_728 })).unwrap().1.memory, 128 << 20);
        assert_eq!(parse(Value::Null).unwrap().1, Limits::default());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wrong in [
            json!({ "memory": "lots" }),
            json!({ "memory": "-1" }),
            json!({ "memory": "1m" }),
            json!({ "cpus": 0 }),
            json!({ "pids": 1 }),
            json!({ "engine": "chroot" }),
            json!({ "mem": "1g" }),
            json!({ "memory": "99999999999g" }),
            json!({ "pool": 17 }),
        ] {
            assert_eq!(parse(wrong.clone()).unwrap_err().code(), Code::OptionInvalid, "{wrong}");
        }
    }
}
