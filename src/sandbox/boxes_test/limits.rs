//! Programs that try to use more than they may.

use std::time::Instant;

use super::{command, node, on_each_engine, print, run, small, start};
use crate::sandbox::{Command, Limits, SharedEngine};

on_each_engine!(
    memory_ends_at_its_limit,
    a_child_that_ran_out_of_memory_is_told_of,
    processes_end_at_their_limit,
    a_fork_bomb_leaves_the_box_usable,
    processor_time_is_shared_out,
    folders_fill_up_at_their_limit,
    a_flood_of_output_is_cut,
    time_ends_a_program_that_ignores_signals,
    what_a_command_leaves_behind_is_ended,
);

async fn memory_ends_at_its_limit(engine: SharedEngine) {
    let mut session = start(
        &engine,
        &Limits {
            memory: 128 << 20,
            ..small()
        },
    )
    .await;
    let bomb = "const all = []; for (;;) all.push(Buffer.alloc(8 << 20, 1))";
    let outcome = run(&mut session, &node(bomb)).await;
    assert!(outcome.oom_killed && outcome.signal == Some(9), "{outcome:?}");
    assert!(outcome.peak_memory.unwrap() <= 128 << 20);
    let after = run(&mut session, &node("0")).await;
    assert!(after.exit_code == Some(0) && !after.oom_killed, "{after:?}");
    session.close().await;
}

async fn a_child_that_ran_out_of_memory_is_told_of(engine: SharedEngine) {
    let mut session = start(
        &engine,
        &Limits {
            memory: 128 << 20,
            ..small()
        },
    )
    .await;
    let quiet = "require('child_process').spawnSync('keeper', ['hog', String(256 << 20)]); process.exit(0)";
    let outcome = run(&mut session, &node(quiet)).await;
    assert!(outcome.exit_code == Some(0) && outcome.oom_killed, "{outcome:?}");
    session.close().await;
}

async fn processes_end_at_their_limit(engine: SharedEngine) {
    let mut session = start(&engine, &Limits { pids: 20, ..small() }).await;
    let started: u32 = print(&mut session, &command(&["keeper", "forks", "500"]))
        .await
        .parse()
        .unwrap();
    assert!(started < 20, "{started}");
    session.close().await;
}

async fn a_fork_bomb_leaves_the_box_usable(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let bomb = "const { spawn } = require('child_process');
        const again = () => { for (let i = 0; i < 3; i++) {
            const c = spawn('node', ['-e', process.env.BOMB], { detached: true, stdio: 'ignore' }); c.on('error', () => {}) }
            setTimeout(again, 20) }; again()";
    let command = Command {
        env: [("BOMB".to_owned(), bomb.to_owned())].into(),
        timeout_ms: 2_000,
        ..node(bomb)
    };
    let began = Instant::now();
    run(&mut session, &command).await;
    assert!(began.elapsed().as_secs() < 60);
    assert_eq!(print(&mut session, &node("console.log('alive')")).await, "alive");
    session.close().await;
}

async fn processor_time_is_shared_out(engine: SharedEngine) {
    let mut session = start(&engine, &Limits { cpus: 0.5, ..small() }).await;
    let used: u64 = print(&mut session, &command(&["keeper", "spin", "1000"]))
        .await
        .parse()
        .unwrap();
    assert!(
        used <= 650,
        "{used} ms of processor time in 1000 ms at half a processor"
    );
    session.close().await;
}

async fn folders_fill_up_at_their_limit(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let fill = "const fs = require('fs'); const block = Buffer.alloc(1 << 20);
        const full = (dir) => { try { for (let i = 0; i < 64; i++) fs.writeFileSync(dir + '/f' + i, block); return 'never' }
          catch (e) { return e.code } };
        const many = (dir) => { try { for (let i = 0; i < 50000; i++) fs.writeFileSync(dir + '/n' + i, ''); return 'never' }
          catch (e) { return e.code } };
        console.log(full('/tmp'), full('out'), many('/tmp'))";
    assert_eq!(print(&mut session, &node(fill)).await, "ENOSPC ENOSPC ENOSPC");
    let huge =
        "try { require('fs').truncateSync(require('fs').openSync('out/huge', 'w'), 2 ** 40); console.log('made') }
        catch (e) { console.log(e.code) }";
    let outcome = run(&mut session, &node(huge)).await;
    assert_ne!(outcome.stdout.text().trim(), "made");
    session.close().await;
}

async fn a_flood_of_output_is_cut(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let flood = "const b = Buffer.alloc(1 << 20, 'x'); const fs = require('fs');
        for (let i = 0; i < 100; i++) { fs.writeSync(1, b); fs.writeSync(2, b) }";
    let outcome = run(&mut session, &node(flood)).await;
    assert_eq!(
        (outcome.stdout.bytes.len(), outcome.stderr.bytes.len()),
        (64 << 10, 64 << 10)
    );
    assert!(outcome.stdout.truncated && outcome.stderr.truncated);
    assert_eq!(print(&mut session, &node("console.log('next')")).await, "next");
    session.close().await;
}

async fn time_ends_a_program_that_ignores_signals(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let stubborn = "for (const s of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(s, () => {});
        require('child_process').spawn('node', ['-e', 'setInterval(() => {}, 9)'], { detached: true, stdio: 'ignore' });
        for (;;);";
    let outcome = run(
        &mut session,
        &Command {
            timeout_ms: 600,
            ..node(stubborn)
        },
    )
    .await;
    assert!(outcome.timed_out && outcome.duration_ms < 3_000, "{outcome:?}");
    assert_eq!((outcome.exit_code, outcome.signal), (None, Some(9)));
    assert_eq!(print(&mut session, &node(OTHERS)).await, "0");
    session.close().await;
}

/// Counts the processes of the job's user beside this one.
const OTHERS: &str = "const fs = require('fs'); console.log(fs.readdirSync('/proc').filter(n => /^\\d+$/.test(n) &&
    +n !== process.pid).filter(n => { try { return fs.statSync('/proc/' + n).uid === 65534 } catch { return false } }).length)";

async fn what_a_command_leaves_behind_is_ended(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let leave = "const c = require('child_process').spawn('node', ['-e', 'setInterval(() => {}, 9)'],
        { detached: true, stdio: 'inherit' }); c.unref(); setTimeout(() => process.exit(0), 300)";
    let outcome = run(&mut session, &node(leave)).await;
    assert!(
        outcome.exit_code == Some(0) && outcome.duration_ms < 5_000,
        "{outcome:?}"
    );
    assert_eq!(print(&mut session, &node(OTHERS)).await, "0");
    session.close().await;
}
