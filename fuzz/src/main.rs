//! Feeds the scanner mutated texts until the time is up: `scan_text`, `redact` and `positions`.
//! A failure prints the seed of its round, with which it can be repeated alone.
#![allow(dead_code, unused_imports, reason = "only a part of the rooms is used here")]

#[path = "../../src/clock.rs"]
mod clock;
#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/scanner/mod.rs"]
mod scanner;

mod input;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

type Fault = Box<dyn std::error::Error>;

struct Settings {
    target: Option<String>,
    seconds: u64,
    seed: Option<u64>,
}

fn settings() -> Result<Settings, Fault> {
    let mut settings = Settings {
        target: None,
        seconds: 60,
        seed: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--seconds" => settings.seconds = value()?.parse()?,
            "--seed" => settings.seed = Some(value()?.parse()?),
            "--target" => settings.target = Some(value()?),
            _ => return Err(format!("{word} is not known; there are --seconds, --seed and --target").into()),
        }
    }
    Ok(settings)
}

fn main() -> Result<(), Fault> {
    let settings = settings()?;
    let chosen: Vec<&targets::Target> = targets::ALL
        .iter()
        .filter(|target| settings.target.as_ref().is_none_or(|name| name == target.name))
        .collect();
    if chosen.is_empty() {
        return Err("there is no such target; there are scan_text, redact and positions".into());
    }
    let seeds = input::corpus(Path::new(env!("CARGO_MANIFEST_DIR")))?;
    let subject = targets::Subject::new()?;
    if let Some(seed) = settings.seed {
        return round(&chosen, &subject, &seeds, seed);
    }
    let mut seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos() as u64;
    println!("{} inputs to start from; the first seed is {seed}", seeds.len());
    let end = Instant::now() + Duration::from_secs(settings.seconds);
    let (mut rounds, mut slowest) = (0_u64, Duration::ZERO);
    while Instant::now() < end {
        let from = Instant::now();
        round(&chosen, &subject, &seeds, seed)?;
        slowest = slowest.max(from.elapsed());
        rounds += 1;
        seed = seed.wrapping_add(1);
    }
    println!("{rounds} rounds without a failure; the slowest took {slowest:?}");
    Ok(())
}

fn round(chosen: &[&targets::Target], subject: &targets::Subject, seeds: &[Vec<u8>], seed: u64) -> Result<(), Fault> {
    let bytes = input::mutated(seeds, seed);
    for target in chosen {
        let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(subject, &bytes)));
        let why = match outcome {
            Ok(Ok(())) => continue,
            Ok(Err(why)) => why,
            Err(_) => "it panicked".to_owned(),
        };
        let file = std::env::temp_dir().join(format!("auton8n-fuzz-{}-{seed}", target.name));
        std::fs::write(&file, &bytes)?;
        return Err(format!(
            "{}: {why}\nthe input is in {}; again: --target {} --seed {seed}",
            target.name,
            file.display(),
            target.name
        )
        .into());
    }
    Ok(())
}
