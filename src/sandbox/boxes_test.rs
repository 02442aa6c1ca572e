//! The boxes of each engine, and programs that try to break them.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::{
    BoxInputs, Command, EngineChoice, Isolation, Limits, Outcome, SandboxOptions, Session,
    SharedEngine, open,
};
use crate::error::Code;
use crate::files::FileSet;

/// Where the parts of a box are; a test says what it left out where they are not.
fn inputs() -> Option<BoxInputs> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let arch = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x64"
    };
    let node = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path)
            .map(|folder| folder.join("node"))
            .find(|file| file.is_file())
    });
    let toolchain =
        std::env::var_os("AUTON8N_TEST_TOOLCHAIN").map_or_else(|| root.clone(), PathBuf::from);
    let keeper = root.join(format!("keeper.linux-{arch}"));
    if !keeper.is_file() {
        left_out("no keeper is built: node scripts/build-keeper.mjs");
        return None;
    }
    let harness = root.join("harness");
    let harness = if harness.is_dir() {
        harness
    } else {
        root.join("keeper")
    };
    Some(BoxInputs {
        toolchain,
        node: node?,
        keeper,
        harness,
    })
}

fn left_out(why: &str) {
    assert!(std::env::var_os("AUTON8N_REQUIRE_ALL").is_none(), "{why}");
    println!("left out: {why}");
}

async fn engine(choice: EngineChoice) -> Option<SharedEngine> {
    let options = SandboxOptions {
        engine: choice.clone(),
        ..SandboxOptions::default()
    };
    match open(options, inputs()?).await {
        Ok(engine) => Some(engine),
        Err(error) => {
            left_out(&format!("{choice:?}: {error}"));
            None
        }
    }
}

fn node(script: &str) -> Command {
    let argv = ["node", "-e", script].map(str::to_owned).to_vec();
    Command {
        argv,
        timeout_ms: 20_000,
        ..Command::default()
    }
}

async fn run(session: &mut Box<dyn Session>, command: &Command) -> Outcome {
    session
        .run(command, &CancellationToken::new())
        .await
        .unwrap()
}

async fn script(session: &mut Box<dyn Session>, text: &str) -> Outcome {
    run(session, &node(text)).await
}

#[tokio::test]
async fn a_docker_box_runs_what_it_is_given() {
    runs_what_it_is_given(EngineChoice::Docker).await;
}

#[tokio::test]
async fn a_built_in_box_runs_what_it_is_given() {
    runs_what_it_is_given(EngineChoice::BuiltIn).await;
}

async fn runs_what_it_is_given(choice: EngineChoice) {
    let Some(engine) = engine(choice).await else {
        return;
    };
    println!("{} {}", engine.name(), engine.isolation());
    let mut session = engine.start(&Limits::default()).await.unwrap();
    let files = FileSet::from([
        ("src/a.js".to_owned(), b"console.log('hi', 6*7)".to_vec()),
        ("empty.txt".to_owned(), vec![]),
    ]);
    session.put(&files).await.unwrap();
    let outcome = run(
        &mut session,
        &Command {
            argv: vec!["node".into(), "src/a.js".into()],
            timeout_ms: 5000,
            ..Command::default()
        },
    )
    .await;
    println!("{outcome:?}");
    assert_eq!(outcome.stdout.text(), "hi 42\n");
    let outcome = script(
        &mut session,
        "require('fs').writeFileSync('out/x.txt','made'); process.exit(3)",
    )
    .await;
    assert_eq!(outcome.exit_code, Some(3), "{outcome:?}");
    let got = session
        .collect(&["out".to_owned(), "src/a.js".to_owned(), "gone".to_owned()])
        .await
        .unwrap();
    assert_eq!(got.keys().collect::<Vec<_>>(), ["out/x.txt", "src/a.js"]);
    let judge = "const s=new (require('net').Socket)({fd:3}); let t='';process.stdin.on('data',d=>s.write(d)); s.on('data',d=>{console.log('judge got '+d);process.exit(d=='42'?0:1)})";
    let job = "const s=new (require('net').Socket)({fd:3}); s.on('data',d=>s.write(String(d*2)));";
    let command = Command {
        judge: Some(["node", "-e", judge].map(str::to_owned).to_vec()),
        stdin: b"21".to_vec(),
        ..node(job)
    };
    let outcome = run(&mut session, &command).await;
    println!("{outcome:?}");
    let judge = outcome.judge.unwrap();
    assert_eq!(
        (judge.exit_code, judge.stdout.text().as_str()),
        (Some(0), "judge got 42\n")
    );
    session.close().await;
    engine.close().await;
    assert_eq!(
        engine.start(&Limits::default()).await.err().unwrap().code(),
        Code::Closed
    );
}
