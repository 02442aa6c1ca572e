import type { HostileClass } from './case.js'

/** Being somebody else, reaching the keeper, and executing what was written. */

export const identity: HostileClass = {
  attempts: [
    { name: 'being root', attempt: "process.setuid(0); return 'reached'", must: 'EPERM' },
    { name: 'being the keeper', attempt: "process.setuid(65533); return 'reached'", must: 'EPERM' },
    { name: 'the group of root', attempt: "process.setgid(0); return 'reached'", must: 'EPERM' },
    { name: 'more groups', attempt: "process.setgroups([0]); return 'reached'", must: 'EPERM' },
    { name: 'capabilities', attempt: "return fs.readFileSync('/proc/self/status', 'utf8').match(/Cap(Inh|Prm|Eff|Amb):\\s*0+$/gm).length", must: 4 },
    { name: 'capabilities that could come back', attempt: "return BigInt('0x' + fs.readFileSync('/proc/self/status', 'utf8').match(/CapBnd:\\s*(\\w+)/)[1]) & ~0xe0n ? 'reached' : 'none'", must: 'none' },
    { name: 'programs that run as root', attempt: "const found = []; const walk = (d) => { for (const e of fs.readdirSync(d, { withFileTypes: true })) { const p = (d + '/' + e.name).replace('//', '/'); if (e.isDirectory() && !/^\\/(proc|sys|dev)/.test(p)) { try { walk(p) } catch {} } else if (e.isFile() && fs.statSync(p).mode & 0o6000) found.push(p) } }; walk('/'); return found.length || 'none'", must: 'none' },
    { name: 'killing the keeper', attempt: "process.kill(1, 'SIGKILL'); return 'reached'", must: 'EPERM' },
    { name: 'stopping the keeper', attempt: "process.kill(1, 'SIGSTOP'); return 'reached'", must: 'EPERM' },
    { name: 'killing everybody', attempt: "try { process.kill(-1, 0) } catch (e) { if (e.code !== 'EPERM' && e.code !== 'ESRCH') throw e } return fs.existsSync('/proc/1') ? 'alive' : 'gone'", must: /alive|gone/ },
    { name: 'its own sources', attempt: "return write('main.mjs')", must: 'EACCES' },
    { name: 'deleting its own sources', attempt: "fs.unlinkSync('main.mjs'); return 'reached'", must: 'EACCES' },
    { name: 'its sources in another place', attempt: "fs.renameSync('main.mjs', 'out/main.mjs'); return 'reached'", must: 'EACCES' },
    { name: 'rights of its sources', attempt: "fs.chmodSync('main.mjs', 0o777); return 'reached'", must: 'EPERM' },
    { name: 'executing a file of /tmp', attempt: "fs.copyFileSync('/sandbox/bin/keeper', '/tmp/k'); fs.chmodSync('/tmp/k', 0o755); return spawnSync('/tmp/k').error?.code ?? 'reached'", must: 'EACCES' },
    { name: 'executing a file of out', attempt: "fs.copyFileSync('/sandbox/bin/keeper', 'out/k'); fs.chmodSync('out/k', 0o4755); return spawnSync('out/k').error?.code ?? 'reached'", must: 'EACCES' },
    {
      name: 'executing it by the loader',
      attempt: "const loader = ['/lib64/ld-linux-x86-64.so.2', '/lib/ld-linux-aarch64.so.1'].find((f) => fs.existsSync(f)); fs.copyFileSync('/sandbox/bin/node', '/tmp/n'); fs.chmodSync('/tmp/n', 0o755); const r = spawnSync(loader, ['/tmp/n', '-e', '0']); fs.unlinkSync('/tmp/n'); return r.status === 0 ? 'reached' : 'refused'",
      must: /refused|ENOSPC/,
    },
    { name: 'executing it by its descriptor', attempt: "const fd = fs.openSync('/tmp/k'); return spawnSync('/proc/self/fd/' + fd).error?.code ?? 'reached'", must: /EACCES|ENOENT/ },
    { name: 'a script with an interpreter', attempt: "fs.writeFileSync('/tmp/s', '#!/sandbox/bin/node\\n'); fs.chmodSync('/tmp/s', 0o755); return spawnSync('/tmp/s').error?.code ?? 'reached'", must: 'EACCES' },
    { name: 'a native addon', attempt: "const so = ['/lib/x86_64-linux-gnu/libm.so.6', '/lib/aarch64-linux-gnu/libm.so.6', '/lib64/libm.so.6'].find((f) => fs.existsSync(f)); fs.copyFileSync(so, '/tmp/a.node'); process.dlopen({ exports: {} }, '/tmp/a.node'); return 'reached'", must: 'ERR_DLOPEN_FAILED' },
    {
      name: 'a library before all others',
      attempt: `fs.copyFileSync('/tmp/a.node', '/tmp/a.so')
        const script = "console.log(/r-xp.*a[.]so/.test(require('fs').readFileSync('/proc/self/maps', 'utf8')))"
        return String(spawnSync('node', ['-e', script], { env: { LD_PRELOAD: '/tmp/a.so', PATH: process.env.PATH } }).stdout).trim()`,
      must: 'false',
    },
    { name: 'a shell', attempt: "return spawnSync('sh', ['-c', 'id']).error?.code ?? 'reached'", must: 'ENOENT' },
    { name: 'a package manager', attempt: "return ['npm', 'npx', 'pnpm', 'git', 'curl', 'wget', 'python3', 'apt'].filter((p) => spawnSync(p).error?.code !== 'ENOENT').join()", must: 'nothing' },
    { name: 'a larger limit of files', attempt: "return Number(fs.readFileSync('/proc/self/limits', 'utf8').match(/Max open files\\s+\\d+\\s+(\\d+)/)[1])", must: 1024 },
    { name: 'a file beyond its limit', attempt: "return Number(fs.readFileSync('/proc/self/limits', 'utf8').match(/Max file size\\s+\\d+\\s+(\\d+)/)[1]) > 0", must: true },
    { name: 'a core that is dumped', attempt: "return fs.readFileSync('/proc/self/limits', 'utf8').match(/Max core file size\\s+\\d+\\s+(\\d+)/)[1]", must: '0' },
    { name: 'new rights by a program', attempt: "return fs.readFileSync('/proc/self/status', 'utf8').match(/NoNewPrivs:\\s*(\\d)/)[1]", must: '1' },
    { name: 'calls without a filter', attempt: "return fs.readFileSync('/proc/self/status', 'utf8').match(/Seccomp:\\s*(\\d)/)[1]", must: '2' },
    {
      name: "the host's namespaces",
      attempt: "return ['mnt', 'pid', 'ipc', 'uts', 'net', 'cgroup'].filter((n) => HOST.namespaces[n] === fs.readlinkSync('/proc/self/ns/' + n)).join()",
      must: 'nothing',
    },
  ],
}
