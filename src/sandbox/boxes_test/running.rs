//! What a box is for.

use super::{command, node, on_each_engine, print, run, small, start};
use crate::error::Code;
use crate::files::FileSet;
use crate::sandbox::{Command, Limits, SharedEngine};

on_each_engine!(
    files_go_in_and_come_out,
    a_command_gets_its_input_and_environment,
    every_tool_runs,
    a_judge_and_its_command_talk,
    a_judge_that_ends_takes_its_command_along,
    a_program_that_is_not_there_says_so,
    wrong_commands_are_refused_before_they_start,
    the_environment_is_small_and_fixed,
);

async fn files_go_in_and_come_out(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let big = vec![7; 300_000];
    let files = FileSet::from([
        (
            "src/a.js".to_owned(),
            b"require('fs').writeFileSync('out/x/y.txt', 'made')".to_vec(),
        ),
        ("empty.txt".to_owned(), Vec::new()),
        ("big.bin".to_owned(), big.clone()),
    ]);
    session.put(&files).await.unwrap();
    print(
        &mut session,
        &node("require('fs').mkdirSync('out/x'); require('./src/a.js')"),
    )
    .await;
    let paths = ["out", "empty.txt", "big.bin", "gone.txt"].map(str::to_owned);
    let got = session.collect(&paths).await.unwrap();
    assert_eq!(got.keys().collect::<Vec<_>>(), ["big.bin", "empty.txt", "out/x/y.txt"]);
    assert_eq!(
        (got["out/x/y.txt"].as_slice(), &got["big.bin"]),
        (b"made".as_slice(), &big)
    );
    session.close().await;
}

async fn a_command_gets_its_input_and_environment(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let script = "process.stdin.pipe(process.stdout); console.error(process.env.GREETING, process.cwd())";
    let input = b"x".repeat(50_000);
    let command = Command {
        stdin: input.clone(),
        env: [("GREETING".to_owned(), "hello".to_owned())].into(),
        ..node(script)
    };
    let outcome = run(&mut session, &command).await;
    assert_eq!(outcome.stdout.bytes, input);
    assert_eq!(outcome.stderr.text(), "hello /sandbox/work\n");
    let failed = run(&mut session, &node("process.exit(3)")).await;
    assert_eq!((failed.exit_code, failed.signal), (Some(3), None));
    session.close().await;
}

async fn every_tool_runs(engine: SharedEngine) {
    let mut session = start(&engine, &Limits::default()).await;
    let source = b"import { readFileSync } from 'node:fs'\nexport const one: number = readFileSync.length\n".to_vec();
    session
        .put(&FileSet::from([("src/a.ts".to_owned(), source)]))
        .await
        .unwrap();
    let modules = "/sandbox/node_modules";
    let tools = [
        command(&[
            &format!("{modules}/@typescript/typescript-linux-x64/lib/tsc"),
            "--version",
        ]),
        command(&[
            &format!("{modules}/@esbuild/linux-x64/bin/esbuild"),
            "src/a.ts",
            "--outfile=out/a.js",
            "--log-level=error",
        ]),
        command(&["node", &format!("{modules}/oxlint/bin/oxlint"), "src"]),
        command(&[&format!("{modules}/@oven/bun-linux-x64/bin/bun"), "src/a.ts"]),
        command(&[
            "node",
            "--input-type=module",
            "-e",
            "import('@elizaos/core').then(m => process.exit(m.AgentRuntime ? 0 : 1))",
        ]),
    ];
    for tool in tools {
        let outcome = run(&mut session, &tool).await;
        assert_eq!(
            outcome.exit_code,
            Some(0),
            "{:?} {} {}",
            tool.argv,
            outcome.stdout.text(),
            outcome.stderr.text()
        );
    }
    assert!(session.collect(&["out/a.js".to_owned()]).await.unwrap()["out/a.js"].starts_with(b"import"));
    session.close().await;
}

const JUDGE: &str = "const s = new (require('net').Socket)({ fd: 3 });
process.stdin.on('data', d => s.write(d));
s.on('data', d => { console.log('got ' + d); process.exit(d == '42' ? 0 : 1) })";

fn judged(judge: &str, job: &str) -> Command {
    Command {
        judge: Some(["node", "-e", judge].map(str::to_owned).to_vec()),
        stdin: b"21".to_vec(),
        ..node(job)
    }
}

async fn a_judge_and_its_command_talk(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let job = "const s = new (require('net').Socket)({ fd: 3 }); s.on('data', d => s.write(String(d * 2)));
        process.stdin.on('data', d => console.log('stolen', d)); console.log(process.getuid())";
    let outcome = run(&mut session, &judged(JUDGE, job)).await;
    assert_eq!(outcome.stdout.text(), "65534\n");
    let judge = outcome.judge.unwrap();
    assert_eq!((judge.exit_code, judge.stdout.text().as_str()), (Some(0), "got 42\n"));
    let lying = "const s = new (require('net').Socket)({ fd: 3 }); s.on('data', d => s.write('43'))";
    assert_eq!(
        run(&mut session, &judged(JUDGE, lying)).await.judge.unwrap().exit_code,
        Some(1)
    );
    // A command that ends is seen by its judge as the end of the stream.
    let patient = "const s = new (require('net').Socket)({ fd: 3 }); s.on('close', () => process.exit(9)); s.resume()";
    let outcome = run(&mut session, &judged(patient, "process.exit(5)")).await;
    assert_eq!(
        (outcome.exit_code, outcome.judge.unwrap().exit_code),
        (Some(5), Some(9))
    );
    session.close().await;
}

async fn a_judge_that_ends_takes_its_command_along(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let outcome = run(&mut session, &judged("process.exit(4)", "setInterval(() => {}, 1000)")).await;
    assert_eq!(
        (outcome.exit_code, outcome.signal, outcome.timed_out),
        (None, Some(9), false)
    );
    assert_eq!(outcome.judge.unwrap().exit_code, Some(4));
    let both = Command {
        timeout_ms: 700,
        ..judged("setInterval(() => {}, 1000)", "setInterval(() => {}, 1000)")
    };
    let outcome = run(&mut session, &both).await;
    assert!(outcome.timed_out && outcome.judge.unwrap().signal == Some(9));
    session.close().await;
}

async fn a_program_that_is_not_there_says_so(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    for program in ["sh", "/bin/sh", "npm", "/sandbox/work/none"] {
        let outcome = run(&mut session, &command(&[program])).await;
        assert_eq!(outcome.exit_code, Some(127), "{program}");
        assert!(
            outcome.stderr.text().contains("cannot run"),
            "{}",
            outcome.stderr.text()
        );
    }
    session.close().await;
}

async fn wrong_commands_are_refused_before_they_start(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let token = tokio_util::sync::CancellationToken::new();
    for wrong in [
        command(&[]),
        command(&["node", "a\0b"]),
        Command {
            timeout_ms: 0,
            ..command(&["node"])
        },
        Command {
            stdin: vec![0; 9 << 20],
            ..command(&["node"])
        },
        Command {
            env: [("A=B".to_owned(), String::new())].into(),
            ..command(&["node"])
        },
        Command {
            judge: Some(Vec::new()),
            ..command(&["node"])
        },
        command(&["node", &"x".repeat(2 << 20)]),
    ] {
        assert_eq!(
            session.run(&wrong, &token).await.unwrap_err().code(),
            Code::OptionInvalid
        );
    }
    assert_eq!(print(&mut session, &node("console.log(1)")).await, "1");
    session.close().await;
}

async fn the_environment_is_small_and_fixed(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let names = print(
        &mut session,
        &node("console.log(Object.keys(process.env).sort().join())"),
    )
    .await;
    assert_eq!(names, "HOME,LANG,NO_COLOR,PATH,TMPDIR");
    let host = print(&mut session, &node("console.log(require('os').hostname())")).await;
    assert_eq!(host, "box");
    session.close().await;
}
