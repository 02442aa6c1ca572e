//! The boxes of each engine, and programs that try to break them.
//!
//! Each case runs on every engine. Where one is missing the test names what it left out, or fails
//! where `AUTON8N_REQUIRE_ALL` is set.

mod files;
mod identity;
mod leaving;
mod limits;
mod running;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::{BoxInputs, Command, EngineChoice, Limits, Outcome, SandboxOptions, Session, SharedEngine, open};

/// Makes a test of each case for each engine.
macro_rules! on_each_engine {
    ($($case:ident),+ $(,)?) => {
        mod docker {
            $(#[test] fn $case() { crate::sandbox::boxes_test::with_engine("docker", super::$case); })+
        }
        mod built_in {
            $(#[test] fn $case() { crate::sandbox::boxes_test::with_engine("built-in", super::$case); })+
        }
    };
}
use on_each_engine;

/// One runtime for all tests of the process: an engine's connections live in it.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap()
    })
}

fn with_engine<F: Future<Output = ()>>(name: &str, case: impl FnOnce(SharedEngine) -> F) {
    static DOCKER: OnceCell<Option<SharedEngine>> = OnceCell::const_new();
    static BUILT_IN: OnceCell<Option<SharedEngine>> = OnceCell::const_new();
    runtime().block_on(async {
        let cell = if name == "docker" { &DOCKER } else { &BUILT_IN };
        if let Some(engine) = cell.get_or_init(|| engine(name)).await.clone() {
            case(engine).await;
        }
    });
}

async fn engine(name: &str) -> Option<SharedEngine> {
    // Another container engine, such as Podman, may stand in for Docker.
    let other = std::env::var("AUTON8N_TEST_CONTAINER_ENGINE")
        .ok()
        .filter(|_| name == "docker");
    let engine = EngineChoice::parse(other.as_deref().unwrap_or(name)).unwrap();
    let options = SandboxOptions {
        engine,
        ..SandboxOptions::default()
    };
    match open(options, inputs()?).await {
        Ok(engine) => Some(engine),
        Err(error) => {
            left_out(&format!("{name}: {error}"));
            None
        }
    }
}

fn left_out(why: &str) {
    assert!(std::env::var_os("AUTON8N_REQUIRE_ALL").is_none(), "{why}");
    println!("left out: {why}");
}

/// The parts of a box: of this checkout, or of the toolchain that a variable names.
fn inputs() -> Option<BoxInputs> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let node = std::env::split_paths(&path)
        .map(|folder| folder.join("node"))
        .find(|file| file.is_file());
    let toolchain = toolchain().unwrap_or_else(|| root.to_owned());
    let keeper = root.join(format!("keeper.linux-{arch}"));
    let Some(node) = node.filter(|_| keeper.is_file()) else {
        left_out("boxes: node, or the keeper of `node scripts/build-keeper.mjs`, is missing");
        return None;
    };
    let harness = [root.join("harness"), root.join("keeper")]
        .into_iter()
        .find(|folder| folder.is_dir())?;
    Some(BoxInputs {
        toolchain,
        node,
        keeper,
        harness,
    })
}

/// The toolchain that a variable names, else one that was provisioned for this user.
fn toolchain() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("AUTON8N_TEST_TOOLCHAIN") {
        return Some(named.into());
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || Path::new(&std::env::var_os("HOME").unwrap_or_default()).join(".cache"),
        PathBuf::from,
    );
    let all = std::fs::read_dir(cache.join("auton8n/toolchain"))
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    all.filter(|path| path.join(".complete.json").is_file()).max()
}

/// A small box, so that many fit beside each other.
fn small() -> Limits {
    Limits {
        memory: 192 << 20,
        pids: 40,
        tmpfs: 8 << 20,
        work: 8 << 20,
        output: 64 << 10,
        ..Limits::default()
    }
}

async fn start(engine: &SharedEngine, limits: &Limits) -> Box<dyn Session> {
    engine.start(limits).await.unwrap()
}

fn command(argv: &[&str]) -> Command {
    Command {
        argv: argv.iter().map(|&text| text.to_owned()).collect(),
        timeout_ms: 30_000,
        ..Command::default()
    }
}

fn node(script: &str) -> Command {
    command(&["node", "-e", script])
}

/// Bun calls the C library directly, so that each system call can be tried.
fn bun(script: &str) -> Command {
    let arch = if cfg!(target_arch = "aarch64") {
        "aarch64"
    } else {
        "x64"
    };
    command(&[
        &format!("/sandbox/node_modules/@oven/bun-linux-{arch}/bin/bun"),
        "-e",
        script,
    ])
}

async fn run(session: &mut Box<dyn Session>, command: &Command) -> Outcome {
    session.run(command, &CancellationToken::new()).await.unwrap()
}

/// What a script prints, where it ends well.
async fn print(session: &mut Box<dyn Session>, command: &Command) -> String {
    let outcome = run(session, command).await;
    assert_eq!(outcome.exit_code, Some(0), "{outcome:?} {}", outcome.stderr.text());
    outcome.stdout.text().trim().to_owned()
}
