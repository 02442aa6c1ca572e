import type { HostileClass } from './case.js'

/** Memory, processes and processor time without end, and programs that do not end. */

const again = "import { spawn } from 'node:child_process'\n"
const stubborn = "for (const s of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1']) process.on(s, () => {})\n"

export const resources: HostileClass = {
  projects: [
    {
      name: 'buffers without end',
      main: 'const all = []; for (;;) all.push(Buffer.alloc(8 << 20, 1))',
      must: { oomKilled: true, exitCode: null, stoppedBy: 'memory' },
    },
    {
      name: 'memory of a child whose parent ends well',
      main: `import { spawnSync } from 'node:child_process'
        spawnSync('node', ['-e', 'const a = []; for (;;) a.push(Buffer.alloc(8 << 20, 1))']); process.exit(0)`,
      must: { oomKilled: true, exitCode: 0, stoppedBy: 'memory' },
    },
    {
      name: 'memory of WebAssembly',
      main: `const all = []; for (;;) { const m = new WebAssembly.Memory({ initial: 1024, maximum: 1024 })
        new Uint8Array(m.buffer).fill(1); all.push(m) }`,
      must: { oomKilled: true, exitCode: null },
    },
    {
      name: 'memory shared among many small children',
      main: `${again}for (let i = 0; i < 4; i++)
        spawn('node', ['-e', 'const a = []; setInterval(() => a.push(Buffer.alloc(4 << 20, 1)), 1)'])`,
      timeout: 30_000,
      must: { oomKilled: true },
    },
    {
      name: 'a text that doubles',
      main: "const all = []; let t = 'x'; for (;;) { t = t.length < 1 << 24 ? t + t : t; all.push(Buffer.from(t)) }",
      must: { oomKilled: true, exitCode: null },
    },
    {
      name: 'recursion without end',
      main: 'const f = () => f() + 1; f()',
      must: { exitCode: 1, oomKilled: false },
    },
    {
      name: 'a fork bomb',
      main: `${again}const c = process.argv[1]; const boom = () => { for (let i = 0; i < 4; i++)
        spawn(process.execPath, [c], { detached: true, stdio: 'ignore' }).on('error', () => {}); setTimeout(boom, 5) }; boom()`,
      timeout: 2_500,
      must: { stoppedBy: /time|processes|memory/ },
    },
    {
      name: 'a native fork bomb',
      command: ['keeper', 'forks', '5000'],
      timeout: 30_000,
      must: { prints: /^\d{1,2}\n$/, stoppedBy: 'processes' },
    },
    {
      name: 'threads without end',
      main: `import { Worker } from 'node:worker_threads'
        for (let i = 0; i < 500; i++) new Worker('setInterval(() => {}, 99)', { eval: true }).on('error', () => {})`,
      timeout: 4_000,
      must: { stoppedBy: /time|processes|memory/ },
    },
    {
      name: 'a loop that ignores signals',
      main: `${stubborn}for (;;);`,
      timeout: 700,
      must: { timedOut: true, exitCode: null, stoppedBy: 'time' },
    },
    {
      name: 'a loop on many processes',
      main: `${again}for (let i = 0; i < 8; i++) spawn('node', ['-e', 'for (;;);']); for (;;);`,
      timeout: 1_500,
      must: { timedOut: true, stoppedBy: 'time' },
    },
    {
      name: 'promises that never let go',
      main: 'const f = () => Promise.resolve().then(f); f()',
      timeout: 700,
      must: { timedOut: true },
    },
    {
      name: 'a pattern that backtracks for ever',
      main: "/^(a+)+$/.test('a'.repeat(64) + '!')",
      timeout: 700,
      must: { timedOut: true },
    },
    {
      name: 'a sleep that blocks',
      main: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
      timeout: 700,
      must: { timedOut: true },
    },
    {
      name: 'a program that stops itself',
      main: "process.kill(process.pid, 'SIGSTOP')",
      timeout: 700,
      must: { timedOut: true, exitCode: null },
    },
    {
      name: 'an exit that never comes',
      main: "process.on('exit', () => { for (;;); })",
      timeout: 700,
      must: { timedOut: true },
    },
    {
      name: 'a program that waits for input',
      main: "process.stdin.on('end', () => console.log('ended')).resume()",
      must: { exitCode: 0, prints: 'ended\n' },
    },
    {
      name: 'descriptors without end',
      main: "import fs from 'node:fs'; const all = []; try { for (;;) all.push(fs.openSync('/dev/null')) } catch (e) { console.log(e.code, all.length < 1024) }",
      must: { exitCode: 0, prints: 'EMFILE true\n' },
    },
    {
      name: 'a better place in the queue',
      main: "import os from 'node:os'; try { os.setPriority(-20); console.log('reached') } catch (e) { console.log(e.info.code) }",
      must: { prints: /^E(ACCES|PERM)\n$/ },
    },
    {
      name: 'zombies',
      main: `${again}for (let i = 0; i < 30; i++) spawn('keeper', ['spin', '1'], { detached: true, stdio: 'ignore' }).unref(); setTimeout(() => process.exit(0), 800)`,
      must: { exitCode: 0 },
    },
  ],
}
