import type { HostileClass } from './case.js'

/** What a program leaves to be collected: links, devices, names and numbers. */

const made = (code: string): string => `import fs from 'node:fs'; import os from 'node:os'
process.chdir('out'); try { ${code} } catch (e) { console.log(e.code) }`

const collect = ['out']

export const artifacts: HostileClass = {
  projects: [
    { name: 'a link to a file of the system', main: made("fs.symlinkSync('/etc/passwd', 'l'); fs.writeFileSync('ok', '')"), collect, must: { files: ['out/ok'] } },
    { name: 'a link to a folder', main: made("fs.symlinkSync('/sandbox/bin', 'l'); fs.writeFileSync('ok', '')"), collect, must: { files: ['out/ok'] } },
    { name: "a link to the keeper's root", main: made("fs.symlinkSync('/proc/1/root/etc', 'l'); fs.writeFileSync('ok', '')"), collect, must: { files: ['out/ok'] } },
    { name: 'a link on the way', main: made("fs.symlinkSync('/etc', 'etc')"), collect: ['out/etc/passwd'], must: { files: [] } },
    { name: 'a link to itself', main: made("fs.symlinkSync('l', 'l'); fs.writeFileSync('ok', '')"), collect, must: { files: ['out/ok'] } },
    { name: 'a link in place of what was asked for', main: made("fs.symlinkSync('/etc/group', 'report.xml')"), collect: ['out/report.xml'], must: { files: [] } },
    { name: 'a hard link to its own source', files: { 'secret.txt': 'x' }, main: made("fs.linkSync('../secret.txt', 'l'); console.log('made')"), collect, must: { prints: /^E(PERM|ACCES|XDEV)\n$/, files: [] } },
    { name: 'a hard link to a program', main: made("fs.linkSync('/sandbox/bin/node', 'l')"), collect, must: { prints: /^E/, files: [] } },
    {
      name: 'a socket',
      main: "import net from 'node:net'; import fs from 'node:fs'; fs.writeFileSync('out/ok', ''); net.createServer().listen('/sandbox/work/out/s', () => process.kill(process.pid, 'SIGKILL'))",
      collect,
      must: { files: ['out/ok'], exitCode: null },
    },
    { name: 'a name with a line break', main: made("fs.writeFileSync('a\\nb', 'x')"), collect, must: { rejects: 'AUTON8N_PATH_REFUSED' } },
    { name: 'a name that climbs on Windows', main: made("fs.writeFileSync('..\\\\..\\\\x', 'x')"), collect, must: { rejects: 'AUTON8N_PATH_REFUSED' } },
    { name: 'a name of a drive', main: made("fs.writeFileSync('C:x', 'x')"), collect, must: { rejects: 'AUTON8N_PATH_REFUSED' } },
    { name: 'a name of a device of Windows', main: made("fs.writeFileSync('con.txt', 'x')"), collect, must: { rejects: 'AUTON8N_PATH_REFUSED' } },
    { name: 'a hidden file', main: made("fs.writeFileSync('.npmrc', 'x')"), collect, must: { rejects: 'AUTON8N_PATH_REFUSED' } },
    { name: 'a name that is not UTF-8', main: made("fs.writeFileSync(Buffer.from([0x61, 0xff]), 'x')"), collect, must: { rejects: 'AUTON8N_SANDBOX_FAILED' } },
    { name: 'a name of the prototype', main: made("fs.mkdirSync('__proto__'); fs.writeFileSync('__proto__/polluted', 'x')"), collect, must: { files: ['out/__proto__/polluted'] } },
    { name: 'a name of 255 bytes', main: made("fs.writeFileSync('n'.repeat(255), 'x')"), collect, must: { rejects: 'AUTON8N_PATH_REFUSED' } },
    { name: 'more files than are taken', main: made("for (let i = 0; i < 11_000; i++) fs.writeFileSync(String(i), '')"), collect, must: { rejects: 'AUTON8N_SANDBOX_FAILED' } },
    { name: 'a file of holes', main: made("fs.truncateSync(fs.openSync('holes', 'w'), 15 << 20); fs.truncateSync(fs.openSync('more', 'w'), 15 << 20)"), collect, must: { rejects: 'AUTON8N_SANDBOX_FAILED' } },
    { name: 'a file that nobody may read', main: made("fs.writeFileSync('x', 'x'); fs.chmodSync('x', 0)"), collect, must: { rejects: 'AUTON8N_SANDBOX_FAILED' } },
    { name: 'folders that nobody may enter', main: made("fs.mkdirSync('d'); fs.writeFileSync('d/x', ''); fs.chmodSync('d', 0)"), collect, must: { rejects: 'AUTON8N_SANDBOX_FAILED' } },
    {
      name: 'a folder that turns into a link while it is taken',
      main: `import { spawn } from 'node:child_process'; import fs from 'node:fs'
        fs.mkdirSync('out/real'); fs.writeFileSync('out/real/x', 'mine')
        spawn('node', ['-e', "const fs = require('fs'); for (;;) { try { fs.renameSync('out/real', 'out/r2'); fs.symlinkSync('/etc', 'out/real'); fs.unlinkSync('out/real'); fs.renameSync('out/r2', 'out/real') } catch {} }"],
          { detached: true, stdio: 'ignore' }).unref()
        setTimeout(() => process.exit(0), 300)`,
      collect: ['out/real', 'out/r2'],
      must: { exitCode: 0, prints: '' },
    },
    {
      name: 'a process that writes on after the end',
      main: `import { spawn } from 'node:child_process'
        spawn('node', ['-e', "const fs = require('fs'); let n = 0; setInterval(() => fs.writeFileSync('out/late', 'x'.repeat(++n)), 1)"], { detached: true, stdio: 'ignore' }).unref()
        process.exit(0)`,
      collect,
      must: { exitCode: 0 },
    },
    { name: 'a file with the bits of another user', main: made("fs.writeFileSync('x', ''); fs.chmodSync('x', 0o6755); console.log((fs.statSync('x').mode & 0o777).toString(8))"), collect, must: { files: ['out/x'] } },
    { name: 'everything that there is', main: made("fs.writeFileSync('ok', '')"), collect: ['.'], must: { rejects: 'AUTON8N_PATH_REFUSED' } },
    { name: 'a path that climbs', main: made("fs.writeFileSync('ok', '')"), collect: ['out/../../../etc/passwd'], must: { rejects: 'AUTON8N_PATH_REFUSED' } },
  ],
}
