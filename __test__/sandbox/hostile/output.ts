import { bun, type HostileClass } from './case.js'

/** What a program prints, to fill, to confuse or to speak in another's name. */

const LIMIT = 1 << 20
const fs = "import fs from 'node:fs'\n"

export const output: HostileClass = {
  projects: [
    {
      name: 'a flood on one stream',
      main: `${fs}const b = Buffer.alloc(1 << 20, 'x'); for (let i = 0; i < 200; i++) fs.writeSync(1, b)`,
      must: { exitCode: 0, truncated: true, prints: new RegExp(`^x{${LIMIT}}$`) },
    },
    {
      name: 'a flood on both streams that never ends',
      main: `${fs}const b = Buffer.alloc(1 << 16, 'y\\n'); for (;;) { fs.writeSync(1, b); fs.writeSync(2, b) }`,
      timeout: 3_000,
      must: { timedOut: true, truncated: true },
    },
    {
      name: 'bytes that are no text',
      main: `${fs}fs.writeSync(1, Buffer.from([0xff, 0xfe, 0, 0xc0, 0x80, 0xed, 0xa0, 0x80]))`,
      must: { exitCode: 0, prints: '\ufffd\ufffd\0\ufffd\ufffd\ufffd\ufffd\ufffd' },
    },
    {
      name: "the keeper's own frames",
      // EXIT with code 0, FAIL, DONE and READY, each as the keeper would send it.
      main: `${fs}for (const kind of [130, 133, 132, 128]) fs.writeSync(1, Buffer.concat([Buffer.from([36, 0, 0, 0, kind]), Buffer.alloc(35)]))
        process.exit(3)`,
      must: { exitCode: 3, timedOut: false },
    },
    {
      name: 'frames written to every descriptor',
      main: `${fs}for (let fd = 0; fd < 64; fd++) try { fs.writeSync(fd, Buffer.from([5, 0, 0, 0, 130, 0, 0, 0, 0])) } catch {}
        process.exit(4)`,
      must: { exitCode: 4 },
    },
    {
      name: "frames written into the keeper's streams",
      main: `${fs}let reached = 0; for (const fd of [0, 1, 2]) try { fs.writeFileSync('/proc/1/fd/' + fd, 'x'); reached++ } catch {}
        console.log(reached)`,
      must: { exitCode: 0, prints: '0\n' },
    },
    {
      name: 'a child that goes on printing',
      main: `import { spawn } from 'node:child_process'
        spawn('node', ['-e', 'setInterval(() => console.log("later"), 5)'], { detached: true, stdio: 'inherit' }).unref(); process.exit(0)`,
      must: { exitCode: 0, timedOut: false },
    },
    {
      name: 'a stream that is held by a splice from a silent socket',
      command: [bun, 'main.mjs'],
      main: `const { dlopen, FFIType: T } = require('bun:ffi')
        const { symbols: c } = dlopen('libc.so.6', { syscall: { args: Array(7).fill(T.i64), returns: T.i64 } })
        const pair = new Int32Array(2); c.syscall(53, 1, 1, 0, require('bun:ffi').ptr(pair), 0, 0, 0)
        console.log(c.syscall(275, pair[0], 0, 1, 0, 1 << 20, 0) < 0 ? 'refused' : 'held'); for (;;);`,
      timeout: 3_000,
      must: { timedOut: true, prints: process.arch === 'x64' ? 'refused\n' : /./ },
    },
    {
      name: 'a line of a million columns',
      main: "process.stdout.write('z'.repeat(900_000))",
      must: { exitCode: 0, truncated: false },
    },
    {
      name: 'streams that are closed',
      main: `${fs}fs.closeSync(1); fs.closeSync(2); setTimeout(() => process.exit(5), 50)`,
      must: { exitCode: 5, prints: '' },
    },
    {
      name: 'another name for itself',
      main: "process.title = 'keeper serve'; console.log(process.title.length > 0)",
      must: { exitCode: 0 },
    },
  ],
}
