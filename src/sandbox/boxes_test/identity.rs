//! Programs that try to be somebody else, or to be somewhere else.

use super::{bun, node, on_each_engine, print, run, small, start};
use crate::files::FileSet;
use crate::sandbox::{Command, SharedEngine};

on_each_engine!(
    the_job_is_nobody,
    system_calls_that_lead_out_are_refused,
    there_is_no_network,
    nothing_but_its_own_folders_can_be_written,
    nothing_it_wrote_can_be_executed,
    the_keeper_cannot_be_reached,
    the_judge_cannot_be_reached,
    its_tests_cannot_be_changed,
);

async fn the_job_is_nobody(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let status = print(
        &mut session,
        &node("console.log(require('fs').readFileSync('/proc/self/status', 'utf8'))"),
    )
    .await;
    let value = |name: &str| {
        let line = status
            .lines()
            .find(|line| line.starts_with(&format!("{name}:")))
            .unwrap();
        line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        (value("Uid"), value("Gid")),
        ("65534 65534 65534 65534".into(), "65534 65534 65534 65534".into())
    );
    assert_eq!(value("Groups"), "");
    for name in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(value(name), "0000000000000000", "{name}");
    }
    assert_eq!(
        (value("NoNewPrivs"), value("Seccomp")),
        ("1".to_owned(), "2".to_owned())
    );
    let climb = "const out = []; for (const f of ['setuid', 'setgid', 'seteuid']) for (const id of [0, 65533])
        try { process[f](id); out.push(f + id) } catch {} console.log(out.length)";
    assert_eq!(print(&mut session, &node(climb)).await, "0");
    session.close().await;
}

async fn system_calls_that_lead_out_are_refused(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    if cfg!(not(target_arch = "x86_64")) {
        return;
    }
    // name, number, arguments; each must answer -1.
    let script = "const { dlopen, FFIType: T } = require('bun:ffi');
        const { symbols: c } = dlopen('libc.so.6', { syscall: { args: Array(7).fill(T.i64), returns: T.i64 } });
        const call = (n, ...a) => Number(c.syscall(n, ...Array.from({ length: 6 }, (_, i) => a[i] ?? 0)));
        const text = Buffer.from('x\\0'); const p = require('bun:ffi').ptr(text);
        const tried = { pid: call(39), vsock: call(41, 40, 1, 0), packet: call(41, 17, 3, 0), alg: call(41, 38, 5, 0),
          raw: call(41, 2, 3, 1), ptrace: call(101, 0), memfd: call(319, p, 0), unshare: call(272, 0x10000000),
          user: call(56, 0x10000011), mount: call(165, p, p, p, 0, 0), bpf: call(321, 0, 0, 0), keyctl: call(250, 0, -3, 0),
          uring: call(425, 1, p), userfault: call(323, 0), perf: call(298, p, 0, -1, -1, 0), setns: call(308, 0, 0),
          mknod: call(133, p, 0o20666, 0x101), chroot: call(161, p), module: call(175, p, 0, p), readv: call(310, 1, p, 0, p, 0),
          reboot: call(169, 0, 0, 0), swapon: call(167, p, 0), handle: call(304, 0, p, 0), clone3: call(435, p, 8) };
        console.log(Object.entries(tried).filter(([, v]) => v >= 0).map(([k]) => k).join())";
    assert_eq!(print(&mut session, &bun(script)).await, "pid");
    session.close().await;
}

async fn there_is_no_network(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!(
        "const net = require('net'), dns = require('dns');
        const reach = (host, port) => new Promise(done => {{
          const s = net.connect({{ host, port, timeout: 2000 }}, () => done('reached'));
          s.on('error', e => done('no')); s.on('timeout', () => done('no')) }});
        Promise.all([reach('127.0.0.1', {port}), reach('::1', {port}), reach('1.1.1.1', 53), reach('169.254.169.254', 80),
          reach('172.17.0.1', {port}), dns.promises.lookup('example.com').then(() => 'reached', () => 'no')])
          .then(all => {{ console.log(all.join()); console.log(Object.keys(require('os').networkInterfaces()).join());
            process.exit(0) }})"
    );
    let told = print(&mut session, &node(&script)).await;
    assert_eq!(told, "no,no,no,no,no,no\nlo");
    let own = "const s = require('http').createServer((q, r) => r.end('own')).listen(0, '127.0.0.1', () =>
        fetch('http://127.0.0.1:' + s.address().port).then(r => r.text()).then(t => { console.log(t); process.exit() }))";
    assert_eq!(
        print(&mut session, &node(own)).await,
        "own",
        "its own loopback is its own"
    );
    session.close().await;
}

async fn nothing_but_its_own_folders_can_be_written(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let script = "const fs = require('fs'); const made = [];
        for (const d of ['', '/etc', '/dev', '/proc', '/proc/sys/kernel', '/sys', '/sys/fs/cgroup', '/sys/fs/cgroup/memory',
          '/sandbox', '/sandbox/bin', '/sandbox/work', '/sandbox/harness', '/sandbox/node_modules', '/lib'])
          try { fs.writeFileSync(d + '/mine', 'x'); made.push(d) } catch {}
        for (const f of ['/etc/passwd', '/sandbox/bin/node', '/sandbox/bin/keeper', '/proc/sys/kernel/core_pattern',
          '/proc/sysrq-trigger', '/sys/fs/cgroup/memory/memory.limit_in_bytes', '/sys/fs/cgroup/memory.max'])
          try { fs.closeSync(fs.openSync(f, 'r+')); made.push(f) } catch {}
        for (const f of ['/var/run/docker.sock', '/run/docker.sock', '/root', '/home', '/bin/sh', '/usr/bin/env'])
          if (fs.existsSync(f)) made.push(f);
        for (const d of ['/dev/sda', '/dev/vda', '/dev/mem', '/dev/kmsg', '/dev/kvm']) try { fs.readFileSync(d); made.push(d) } catch {}
        fs.writeFileSync('/tmp/x', ''); fs.writeFileSync('/sandbox/work/out/x', '');
        console.log(JSON.stringify(made))";
    assert_eq!(print(&mut session, &node(script)).await, "[]");
    session.close().await;
}

async fn nothing_it_wrote_can_be_executed(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let script = "const fs = require('fs'), { spawnSync } = require('child_process');
        console.log(['/tmp/k', '/sandbox/work/out/k'].map(f => { fs.copyFileSync('/sandbox/bin/keeper', f); fs.chmodSync(f, 0o4755);
          return spawnSync(f).error?.code }).join())";
    assert_eq!(print(&mut session, &node(script)).await, "EACCES,EACCES");
    session.close().await;
}

async fn the_keeper_cannot_be_reached(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let script = "const fs = require('fs'); const out = [];
        for (const s of ['SIGKILL', 'SIGSTOP', 'SIGTERM', 'SIGCHLD']) try { process.kill(1, s); out.push(s) } catch {}
        for (const f of ['mem', 'environ', 'maps', 'fd/0', 'fd/1', 'root/etc/passwd', 'cwd/etc/passwd'])
          try { fs.readFileSync('/proc/1/' + f); out.push(f) } catch {}
        try { fs.writeFileSync('/proc/1/oom_score_adj', '1000'); out.push('oom') } catch {}
        console.log(JSON.stringify(out))";
    assert_eq!(print(&mut session, &node(script)).await, "[]");
    run(&mut session, &node("process.kill(-1, 'SIGKILL')")).await;
    assert_eq!(print(&mut session, &node("console.log('alive')")).await, "alive");
    session.close().await;
}

async fn the_judge_cannot_be_reached(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let judge = "const s = new (require('net').Socket)({ fd: 3 }); process.title = 'judge';
        let secret = ''; process.stdin.on('data', d => secret += d);
        s.on('data', d => { console.log(String(d)); process.exit(0) })";
    let script = "const fs = require('fs'); const out = [];
        for (const n of fs.readdirSync('/proc').filter(n => /^\\d+$/.test(n) && +n !== process.pid)) {
          for (const f of ['mem', 'environ', 'maps', 'fd/0', 'stack'])
            try { fs.readFileSync('/proc/' + n + '/' + f); out.push(n + f) } catch {}
          for (const s of ['SIGKILL', 'SIGSTOP']) try { process.kill(+n, s); out.push(n + s) } catch {} }
        const own = fs.readdirSync('/proc/self/task').map(Number);
        for (let n = 2; n < 200; n++) if (!own.includes(n)) try { process.kill(n, 'SIGKILL'); out.push(n) } catch {}
        require('fs').writeSync(3, JSON.stringify(out))";
    let command = Command {
        judge: Some(["node", "-e", judge].map(str::to_owned).to_vec()),
        stdin: b"42".to_vec(),
        ..node(script)
    };
    let outcome = run(&mut session, &command).await;
    let judge = outcome.judge.as_ref().unwrap();
    assert_eq!(
        (judge.exit_code, judge.stdout.text().trim()),
        (Some(0), "[]"),
        "{outcome:?} {}",
        outcome.stderr.text()
    );
    session.close().await;
}

async fn its_tests_cannot_be_changed(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let files = FileSet::from([("test/a.test.ts".to_owned(), b"expect(1).toBe(2)".to_vec())]);
    session.put(&files).await.unwrap();
    let script = "const fs = require('fs'); const t = 'test/a.test.ts'; const done = [];
        const attempt = (name, f) => { try { f(); done.push(name) } catch {} };
        attempt('write', () => fs.writeFileSync(t, '')); attempt('append', () => fs.appendFileSync(t, ''));
        attempt('unlink', () => fs.unlinkSync(t)); attempt('rename', () => fs.renameSync('test', 'out/test'));
        attempt('rm', () => fs.rmSync('test', { recursive: true })); attempt('chmod', () => fs.chmodSync(t, 0o777));
        attempt('beside', () => fs.writeFileSync('test/b.test.ts', '')); attempt('out', () => fs.rmdirSync('out'));
        attempt('swap', () => fs.renameSync('out', 'gone')); console.log(JSON.stringify(done))";
    assert_eq!(print(&mut session, &node(script)).await, "[]");
    assert_eq!(session.collect(&["test".to_owned()]).await.unwrap(), files);
    session.close().await;
}
