//! The scanner alone, for measuring: `scan DIRECTORY` prints every finding with its value as JSON,
//! `words` the list of words of wallets, from which the corpus draws.

#![allow(dead_code, unused_imports, reason = "a bench uses a part of the engine's leaves and of the scanner")]

#[path = "../../../src/clock.rs"]
mod clock;
#[path = "../../../src/error.rs"]
mod error;
#[path = "../../../src/scanner/mod.rs"]
mod scanner;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use scanner::{DirectoryOptions, Scanner, ScannerOptions};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["words"] => {
            for word in bip39::Language::English.word_list() {
                println!("{word}");
            }
            ExitCode::SUCCESS
        }
        ["scan", directory] => scan(directory).map_or_else(
            |error| {
                eprintln!("{error}");
                ExitCode::FAILURE
            },
            |text| {
                println!("{text}");
                ExitCode::SUCCESS
            },
        ),
        _ => {
            eprintln!("scanner-bench scan DIRECTORY | words");
            ExitCode::from(2)
        }
    }
}

fn scan(directory: &str) -> Result<String, Box<dyn std::error::Error>> {
    let options = ScannerOptions { reveal: true, allow_comments: false, ..ScannerOptions::default() };
    let scanner = Scanner::new(options)?;
    let start = Instant::now();
    let result = scanner.scan_directory(Path::new(directory), &DirectoryOptions::default())?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(serde_json::to_string(&serde_json::json!({
        "seconds": seconds,
        "files": result.files_scanned,
        "bytes": result.bytes_scanned,
        "skipped": result.skipped,
        "secrets": result.secrets,
    }))?)
}
