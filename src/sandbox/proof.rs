//! Limits are proven, not assumed: an engine may take a limit without a word and ignore it.

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::Session;
use super::ready::{REDUCIBLE, Ready};
use super::run::{Command, Isolation, Limits, Outcome};
use super::session::KeeperSession;
use crate::error::{Code, Error, Result};

/// A limit that does not hold, and what was seen.
pub type Missing = (&'static str, String);

/// An engine that can start a box without looking at whether its limits hold.
#[async_trait]
pub trait Bootable: Sync {
    async fn boot(&self, limits: &Limits) -> Result<(KeeperSession, Ready)>;
}

/// Starts a box and looks at whether its limits hold, but for those that may be missing.
pub async fn start(engine: &dyn Bootable, name: &str, limits: &Limits, allowed: &[String]) -> Result<Box<dyn Session>> {
    let (session, ready) = engine.boot(limits).await?;
    let mut missing = ready.missing(limits);
    missing.retain(|(name, _)| !may_be_missing(name, allowed));
    if missing.is_empty() {
        return Ok(Box::new(session));
    }
    Box::new(session).close().await;
    Err(refusal(name, &missing))
}

/// What is used where the engine offers it. Boxes without it run, and their isolation says so.
const OFFERED: [&str; 1] = ["cgroup namespace"];

/// Whether boxes are made although this does not hold.
pub fn may_be_missing(name: &str, allowed: &[String]) -> bool {
    OFFERED.contains(&name) || (REDUCIBLE.contains(&name) && allowed.iter().any(|allowed| allowed == name))
}

/// A name for a recipe on an engine.
pub fn tag(recipe: &str, engine: &str) -> String {
    let engine = hex::encode(Sha256::digest(engine.as_bytes()));
    format!("{recipe}-{}", &engine[..12])
}

fn keeper(arguments: &[&str]) -> Command {
    let argv = std::iter::once("keeper")
        .chain(arguments.iter().copied())
        .map(str::to_owned)
        .collect();
    Command {
        argv,
        timeout_ms: 20_000,
        ..Command::default()
    }
}

/// Tries to break memory, processes and processor time in a small box, and reads back the rest.
pub async fn prove(engine: &dyn Bootable) -> Result<Vec<Missing>> {
    const HALF: f64 = 0.5;
    let limits = Limits {
        memory: 64 << 20,
        pids: 16,
        cpus: HALF,
        tmpfs: 1 << 20,
        work: 1 << 20,
        ..Limits::default()
    };
    let (mut session, ready) = engine.boot(&limits).await?;
    let mut missing = ready.missing(&limits);
    let tried = attack(&mut session, &limits).await;
    Box::new(session).close().await;
    for (name, what) in tried? {
        if !missing.iter().any(|(known, _)| *known == name) {
            missing.push((name, what));
        }
    }
    Ok(missing)
}

/// Milliseconds that the processor is tried for.
const WALL: u64 = 300;

async fn attack(session: &mut KeeperSession, limits: &Limits) -> Result<Vec<Missing>> {
    let token = CancellationToken::new();
    let mut missing = Vec::new();
    let hog = session
        .run(&keeper(&["hog", &(limits.memory * 2).to_string()]), &token)
        .await?;
    if !(hog.oom_killed && hog.signal == Some(9)) {
        missing.push(("memory", format!("twice the limit could be used: {}", told(&hog))));
    }
    let forks = session.run(&keeper(&["forks", "64"]), &token).await?;
    if number(&forks).is_none_or(|count| count >= u64::from(limits.pids)) {
        missing.push(("pids", format!("64 processes were started: {}", told(&forks))));
    }
    let spin = session.run(&keeper(&["spin", &WALL.to_string()]), &token).await?;
    // A quota is handed out in periods of 100 ms, so that one more may be used up.
    let most = (WALL as f64 * limits.cpus) as u64 + 120;
    if number(&spin).is_none_or(|used| used > most) {
        missing.push((
            "cpus",
            format!("of {WALL} ms at {} processors: {}", limits.cpus, told(&spin)),
        ));
    }
    let late = Command {
        timeout_ms: 100,
        ..keeper(&["spin", "10000"])
    };
    let late = session.run(&late, &token).await?;
    if !late.timed_out || late.duration_ms > 3_000 {
        missing.push(("time", format!("a command ran on after its time-out: {}", told(&late))));
    }
    Ok(missing)
}

fn number(outcome: &Outcome) -> Option<u64> {
    outcome.stdout.text().trim().parse().ok()
}

fn told(outcome: &Outcome) -> String {
    let (out, err) = (outcome.stdout.text(), outcome.stderr.text());
    format!(
        "exit {:?}, signal {:?}, printed {:?} {:?}",
        outcome.exit_code,
        outcome.signal,
        out.trim(),
        err.trim()
    )
}

/// What boxes are worth: whole, or without what the user allowed to be missing, or nothing.
pub fn isolation(missing: &[Missing], allowed: &[String]) -> Result<Isolation> {
    let refused: Vec<_> = missing
        .iter()
        .filter(|(name, _)| !may_be_missing(name, allowed))
        .cloned()
        .collect();
    if !refused.is_empty() {
        return Err(refusal("the engine", &refused));
    }
    if missing.is_empty() {
        return Ok(Isolation::Full);
    }
    let told = |name: &str| {
        if OFFERED.contains(&name) {
            format!("no {name}")
        } else {
            format!("no limit of {name}")
        }
    };
    let names: Vec<_> = missing.iter().map(|(name, _)| told(name)).collect();
    Ok(Isolation::Reduced(names.join(", ")))
}

/// Why nothing is run where limits do not hold.
pub fn refusal(engine: &str, missing: &[Missing]) -> Error {
    let list: Vec<_> = missing.iter().map(|(name, what)| format!("{name} ({what})")).collect();
    Error::new(
        Code::SandboxUnavailable,
        format!("{engine} does not hold: {}", list.join("; ")),
    )
}

/// Runs each tool of the toolchain once; a missing library shows only then.
pub async fn self_test(engine: &dyn Bootable) -> Result<()> {
    const MODULES: &str = "/sandbox/node_modules";
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let bun_arch = if cfg!(target_arch = "aarch64") {
        "aarch64"
    } else {
        "x64"
    };
    let tools = [
        vec!["node".to_owned(), "--version".to_owned()],
        vec![
            format!("{MODULES}/@oven/bun-linux-{bun_arch}/bin/bun"),
            "--version".to_owned(),
        ],
        vec![
            format!("{MODULES}/@typescript/typescript-linux-{arch}/lib/tsc"),
            "--version".to_owned(),
        ],
        vec![
            format!("{MODULES}/@esbuild/linux-{arch}/bin/esbuild"),
            "--version".to_owned(),
        ],
        vec![
            "node".to_owned(),
            format!("{MODULES}/oxlint/bin/oxlint"),
            "--version".to_owned(),
        ],
    ];
    let (mut session, _) = engine.boot(&Limits::default()).await?;
    let mut failed = None;
    for argv in tools {
        let command = Command {
            argv: argv.clone(),
            timeout_ms: 30_000,
            ..Command::default()
        };
        let outcome = session.run(&command, &CancellationToken::new()).await;
        match outcome {
            Ok(outcome) if outcome.exit_code == Some(0) => {}
            Ok(outcome) => failed = Some(format!("{} does not run in a box: {}", argv.join(" "), told(&outcome))),
            Err(error) => failed = Some(format!("{} does not run in a box: {error}", argv.join(" "))),
        }
    }
    Box::new(session).close().await;
    failed.map_or(Ok(()), |why| Err(Error::new(Code::SandboxUnavailable, why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(names: &[&'static str]) -> Vec<Missing> {
        names.iter().map(|name| (*name, "seen".to_owned())).collect()
    }

    #[test]
    fn what_does_not_hold_is_refused_unless_it_was_allowed_or_is_only_offered() {
        let allowed = ["memory".to_owned(), "seccomp".to_owned()];
        assert_eq!(isolation(&missing(&[]), &[]).unwrap(), Isolation::Full);
        for refused in [&["memory"][..], &["pids"], &["cgroup namespace", "root"]] {
            assert!(isolation(&missing(refused), &[]).is_err(), "{refused:?}");
        }
        assert!(
            isolation(&missing(&["seccomp"]), &allowed).is_err(),
            "it cannot be allowed"
        );
        let reduced = isolation(&missing(&["memory", "cgroup namespace"]), &allowed).unwrap();
        assert_eq!(reduced.to_string(), "reduced: no limit of memory, no cgroup namespace");
    }
}
