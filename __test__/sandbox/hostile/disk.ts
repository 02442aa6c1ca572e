import type { HostileClass } from './case.js'

/** Folders that are filled, and files that are larger than the machine. */

export const disk: HostileClass = {
  attempts: [
    {
      name: 'bytes into /tmp',
      attempt: "const b = Buffer.alloc(1 << 20); for (let i = 0; i < 512; i++) fs.writeFileSync('/tmp/b' + i, b); return 'reached'",
      must: 'ENOSPC',
    },
    { name: 'a byte into a folder that is full', attempt: "return write('/tmp/one', Buffer.alloc(1 << 20))", must: 'ENOSPC' },
    {
      name: 'room that deleted files still hold',
      attempt: `for (const n of fs.readdirSync('/tmp')) fs.unlinkSync('/tmp/' + n)
        const fd = fs.openSync('/tmp/gone', 'w'); fs.unlinkSync('/tmp/gone')
        for (let i = 0; i < 512; i++) fs.writeSync(fd, Buffer.alloc(1 << 20)); return 'reached'`,
      must: 'ENOSPC',
    },
    {
      name: 'bytes into out',
      attempt: "for (let i = 0; i < 512; i++) fs.writeFileSync('out/b' + i, Buffer.alloc(1 << 20)); return 'reached'",
      must: 'ENOSPC',
    },
    {
      name: 'files without bytes',
      attempt: `for (const n of fs.readdirSync('out')) fs.unlinkSync('out/' + n); fs.mkdirSync('out/n')
        for (let i = 0; i < 60_000; i++) fs.writeFileSync('out/n/' + i, ''); return 'reached'`,
      must: 'ENOSPC',
    },
    { name: 'a terabyte of nothing', attempt: "fs.truncateSync(fs.openSync('/tmp/huge', 'w'), 2 ** 40); return 'reached'", must: 'EFBIG' },
    { name: 'a file in /dev', attempt: "return write('/dev/mine')", must: /EROFS|EACCES/ },
    { name: 'shared memory', attempt: "return write('/dev/shm/mine')", must: /ENOENT|EROFS|EACCES/ },
    { name: 'the working directory itself', attempt: "return write('mine')", must: 'EACCES' },
    { name: 'a folder beside out', attempt: "fs.mkdirSync('mine'); return 'reached'", must: 'EACCES' },
    { name: 'out in another place', attempt: "fs.renameSync('out', 'away'); return 'reached'", must: 'EACCES' },
    { name: 'the root folder', attempt: "return write('/mine')", must: /EROFS|EACCES/ },
    { name: "the tools' folder", attempt: "return write('/sandbox/node_modules/mine.js')", must: /EROFS|EACCES/ },
    { name: 'the harness', attempt: "return write('/sandbox/harness/judge.mjs')", must: /EROFS|EACCES/ },
    { name: 'node itself', attempt: "return open('/sandbox/bin/node', 'r+')", must: /EROFS|EACCES|ETXTBSY/ },
  ],
  projects: [
    {
      name: 'folders in folders',
      main: `import fs from 'node:fs'; process.chdir('out'); let n = 0
        try { for (; n < 100_000; n++) { fs.mkdirSync('d'); process.chdir('d') } } catch (e) { console.log(e.code) }`,
      collect: ['out'],
      must: { rejects: 'AUTON8N_SANDBOX_FAILED' },
    },
    {
      name: 'more than fits beside the memory of a program',
      main: `import fs from 'node:fs'; for (const d of ['/tmp/a', 'out/a']) try { for (let i = 0; i < 16; i++) fs.appendFileSync(d, Buffer.alloc(1 << 20)) } catch {}
        const all = []; for (;;) all.push(Buffer.alloc(8 << 20, 1))`,
      must: { oomKilled: true },
    },
  ],
}
