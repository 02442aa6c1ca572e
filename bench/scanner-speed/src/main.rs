//! Measures the scanner alone: `files DIR`, `memory DIR`, `redact`, `findings DIR`, `hostile MB`, `lines MB MB` and
//! `repeat TEXT MB`.
#![allow(dead_code, unused_imports, reason = "only a part of the rooms is used here")]

#[path = "../../../src/clock.rs"]
mod clock;
#[path = "../../../src/error.rs"]
mod error;
#[path = "../../../src/scanner/tests/near_matches.rs"]
mod near_matches;
#[path = "../../../src/scanner/mod.rs"]
mod scanner;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use near_matches::near_matches;
use scanner::{DirectoryOptions, ScanResult, Scanner, ScannerOptions};

type Fault = Box<dyn std::error::Error>;

fn main() -> Result<(), Fault> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["files", path] => files(Path::new(path)),
        ["memory", path] => memory(Path::new(path)),
        ["findings", path] => findings(Path::new(path)),
        ["redact"] => redact(),
        ["hostile", megabytes] => hostile(megabytes.parse::<usize>()? << 20),
        ["lines", one, line] => lines(one.parse::<usize>()? << 20, line.parse::<usize>()? << 20),
        ["repeat", part, megabytes] => repeat(part, megabytes.parse::<usize>()? << 20),
        _ => Err("usage: scanner-speed files DIR | memory DIR | findings DIR | redact | hostile MB | lines MB MB | repeat TEXT MB".into()),
    }
}

fn made() -> Result<Scanner, Fault> {
    made_with(ScannerOptions::default().min_confidence)
}

fn scanned(scanner: &Scanner, path: &Path) -> Result<ScanResult, Fault> {
    scanner
        .scan_directory(path, &DirectoryOptions::default())
        .map_err(|error| error.to_string().into())
}

/// What a fresh process does: the caller measures its time and its memory.
fn files(path: &Path) -> Result<(), Fault> {
    let result = scanned(&made()?, path)?;
    println!(
        "{} files, {} bytes, {} findings, {} skipped",
        result.files_scanned,
        result.bytes_scanned,
        result.secrets.len(),
        result.skipped.len()
    );
    Ok(())
}

fn made_with(min_confidence: f64) -> Result<Scanner, Fault> {
    let options = ScannerOptions {
        min_confidence,
        ..ScannerOptions::default()
    };
    Scanner::new(options).map_err(|error| error.to_string().into())
}

/// The data files of the rules.
fn rules() -> Result<Vec<String>, Fault> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/scanner/rules");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        files.push(std::fs::read_to_string(entry?.path())?);
    }
    Ok(files)
}

/// What is found in a tree and in near-matches, also what is doubtful, without the secrets, so that two versions
/// can be compared.
fn findings(path: &Path) -> Result<(), Fault> {
    let scanner = made_with(0.0)?;
    let mut all = scanned(&scanner, path)?.secrets;
    for part in near_matches(rules()?.iter().map(String::as_str)) {
        for name in ["a.js", "a.env", "a.txt", "a.csv"] {
            for size in [1, 5000] {
                let text = part.repeat(size / part.len() + 1);
                let text = format!("{text} {part}\n{}", scanner.redact_text(&text).len());
                all.extend(scanner.scan_text(&text, Some(&format!("{part:.60?}/{name}"))).secrets);
            }
        }
    }
    for one in all {
        println!(
            "{}:{}:{}-{}:{} {} {} {}",
            one.file.as_deref().unwrap_or(""),
            one.line,
            one.column,
            one.end_line,
            one.end_column,
            one.rule,
            one.confidence,
            one.redacted
        );
    }
    Ok(())
}

fn collect(path: &Path, into: &mut Vec<(String, Vec<u8>)>) -> Result<(), Fault> {
    for entry in std::fs::read_dir(path)? {
        let path: PathBuf = entry?.path();
        if path.is_dir() {
            collect(&path, into)?;
        } else {
            into.push((path.to_string_lossy().into_owned(), std::fs::read(&path)?));
        }
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn rate(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}

/// Every file of a tree, read before the clock starts; one thread.
fn memory(path: &Path) -> Result<(), Fault> {
    let mut all = Vec::new();
    collect(path, &mut all)?;
    let total: usize = all.iter().map(|(_, bytes)| bytes.len()).sum();
    let scanner = made()?;
    let mut times = Vec::new();
    for _ in 0..6 {
        let from = cpu();
        for (name, bytes) in &all {
            black_box(scanner.scan_bytes(bytes, Some(name)));
        }
        times.push(cpu() - from);
    }
    times.remove(0);
    println!("{:.0} MB/s (CPU time of one thread)", rate(total, median(times)));
    Ok(())
}

/// The process's CPU time, which other programs on the machine do not stretch.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

const LINES: &[&str] = &[
    "2026-11-20T09:14:03.512Z INFO http: GET /api/plugins/weather/versions?limit=20&sort=desc 200 in 13.4 ms, request 7f3c9a1e-52d8-4c1b-9e0f-2a6b8d4c7e10, client 10.4.18.77, agent Mozilla/5.0 (X11; Linux x86_64) ok",
    "{\"level\":\"info\",\"time\":1763629443512,\"msg\":\"stage finished\",\"job\":\"0195f3c2-8a41-7c1e-b2d3-91f00c55aa10\",\"stage\":\"type-check\",\"ms\":1843,\"files\":27,\"warnings\":0,\"node\":\"v24.1.0\",\"queue\":\"default\"}",
    "[worker 3] building /var/lib/auton8n/jobs/0195f3c2/package with tsc 5.9.2: src/index.ts, src/actions/forecast.ts, src/providers/location.ts, src/services/weather.ts -> dist (4 files, 0 errors, 1.84 s, 212 MB)",
    "warn: the model answered after 21.3 s with 4096 tokens (prompt 1811, completion 2285), finish reason stop; the answer names 4 files and 2 packages: zod ^4.1.0, undici ^7.3.0; next attempt is not needed here..",
];

fn redact() -> Result<(), Fault> {
    let scanner = made()?;
    const ROUNDS: u32 = 200_000;
    for line in LINES {
        let mut times = Vec::new();
        for _ in 0..6 {
            let from = cpu();
            for _ in 0..ROUNDS {
                black_box(scanner.redact_text(black_box(line)));
            }
            times.push(cpu() - from);
        }
        times.remove(0);
        let clean = scanner.redact_text(line) == *line;
        println!(
            "{} bytes: {:.0} ns{}",
            line.len(),
            median(times).as_nanos() as f64 / f64::from(ROUNDS),
            if clean { "" } else { " (something was taken out)" }
        );
    }
    Ok(())
}

/// One text again and again, for a profiler.
fn repeat(part: &str, size: usize) -> Result<(), Fault> {
    let scanner = made()?;
    let text = part.repeat(size / part.len());
    let from = cpu();
    let found = scanner.scan_text(&text, None).secrets.len();
    println!("{:.0} MB/s, {found} findings", rate(text.len(), cpu() - from));
    Ok(())
}

/// Near-matches of every rule and other input that makes scanners slow.
fn hostile(size: usize) -> Result<(), Fault> {
    let scanner = made()?;
    let any = made_with(0.0)?;
    // What is found has to be told as well, and what is doubtful has to be judged.
    let (mut nothing, mut doubtful, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for part in near_matches(rules()?.iter().map(String::as_str)) {
        let text = part.repeat(size / part.len());
        let from = cpu();
        let result = scanner.scan_text(&text, None);
        let rate = rate(text.len(), cpu() - from);
        let kind = if result.found {
            &mut found
        } else if any.scan_text(&part.repeat(4096 / part.len() + 1), None).found {
            &mut doubtful
        } else {
            &mut nothing
        };
        kind.push((rate, part));
    }
    println!(
        "{} MB of each, again and again in one line; MB/s of half, of nine in ten, of the slowest:",
        size >> 20
    );
    let all = std::env::var_os("AUTON8N_BENCH_ALL").is_some();
    for (title, mut rates) in [
        ("nothing is found in", nothing),
        ("only something doubtful in", doubtful),
        ("secrets are found in", found),
    ] {
        rates.sort_by(|a, b| a.0.total_cmp(&b.0));
        let count = rates.len();
        println!(
            "{title} {count} texts: {:.0}, {:.0}, {:.0}",
            rates[count / 2].0,
            rates[count / 10].0,
            rates[0].0
        );
        for (rate, part) in rates.iter().take(if all { count } else { 6 }) {
            println!("{rate:>8.0} MB/s  {part:?}");
        }
    }
    Ok(())
}

/// One byte again and again, and one line without an end, of what lines are made of.
fn lines(one: usize, line: usize) -> Result<(), Fault> {
    let scanner = made()?;
    let show = |title: &str, text: &[u8]| {
        let from = cpu();
        let found = black_box(scanner.scan_bytes(black_box(text), Some("a.js")))
            .secrets
            .len();
        let scan = rate(text.len(), cpu() - from);
        let text = String::from_utf8_lossy(text);
        let from = cpu();
        black_box(scanner.redact_text(black_box(&text)));
        println!(
            "{title}: scanned at {scan:.0} MB/s, redacted at {:.0}, {found} findings",
            rate(text.len(), cpu() - from)
        );
    };
    for byte in *b"aA=-/\"{ \0\n\xff" {
        show(
            &format!("{} MB of {:?}", one >> 20, byte.escape_ascii().to_string()),
            &vec![byte; one],
        );
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below
    };
    let code = include_str!("main.rs").replace('\n', " ");
    let base64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut of = |letters: &[u8]| -> Vec<u8> { (0..line).map(|_| letters[next(letters.len())]).collect() };
    let (base64, hex, words) = (of(base64), of(b"0123456789abcdef"), of(b"etaoinshrdlu cmfwyp gbvk "));
    for (title, text) in [
        ("code", code.repeat(line / code.len()).into_bytes()),
        ("base64", base64),
        ("hex", hex),
        ("random words", words),
    ] {
        show(&format!("a line of {} MB of {title}", line >> 20), &text);
    }
    Ok(())
}
