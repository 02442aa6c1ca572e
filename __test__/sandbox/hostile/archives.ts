import type { HostileClass } from './case.js'

/** Archives that a program unpacks in its box: the host never unpacks what a box made. */

export const archives: HostileClass = {
  projects: [
    {
      name: 'a compressed bomb, unpacked in memory',
      main: `import zlib from 'node:zlib'; let b = zlib.gzipSync(Buffer.alloc(64 << 20)); b = zlib.gunzipSync(b)
        const all = []; for (;;) all.push(zlib.gunzipSync(zlib.gzipSync(b)))`,
      must: { oomKilled: true },
    },
    {
      name: 'a compressed bomb, unpacked to the disk',
      main: `import zlib from 'node:zlib'; import fs from 'node:fs'; import { pipeline } from 'node:stream/promises'; import { Readable } from 'node:stream'
        const one = zlib.gzipSync(Buffer.alloc(16 << 20)); const parts = function* () { for (let i = 0; i < 64; i++) yield one }
        await pipeline(Readable.from(parts()), zlib.createGunzip(), fs.createWriteStream('out/big')).catch((e) => console.log(e.code))`,
      must: { exitCode: 0, prints: /^(ENOSPC|EFBIG)\n$/ },
    },
    {
      name: 'entries that climb out of their folder',
      main: `import fs from 'node:fs'; import path from 'node:path'; const made = []
        for (const name of ['../../../../etc/cron.d/x', '../package.json', '/sandbox/bin/node', '../../harness/judge.mjs', '../../../dev/x'])
          try { fs.writeFileSync(path.resolve('out', name), 'x'); made.push(name) } catch {}
        console.log(made.length)`,
      must: { prints: '0\n' },
    },
    {
      name: 'an archive full of links, left to be collected',
      main: `import fs from 'node:fs'; fs.mkdirSync('out/a'); for (let i = 0; i < 500; i++) fs.symlinkSync('/etc/passwd', 'out/a/' + i)`,
      collect: ['out/a'],
      must: { exitCode: 0, files: [] },
    },
  ],
}
