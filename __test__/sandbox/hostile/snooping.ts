import type { HostileClass } from './case.js'

/** The environment, the host's files, and what `/proc` and `/sys` tell. */

const nothing = /^(ENOENT|EACCES|EPERM|EINVAL|EROFS|EIO)$/

export const snooping: HostileClass = {
  attempts: [
    { name: 'its own environment', attempt: "return Object.keys(process.env).sort().join()", must: 'HOME,HOST,LANG,NO_COLOR,PATH,TMPDIR' },
    { name: "the keeper's environment", attempt: "return read('/proc/1/environ')", must: nothing },
    { name: "the keeper's memory", attempt: "return read('/proc/1/mem')", must: nothing },
    { name: "the keeper's memory map", attempt: "return read('/proc/1/maps')", must: nothing },
    { name: "the keeper's root folder", attempt: "return fs.readdirSync('/proc/1/root').length", must: nothing },
    { name: "the keeper's descriptors", attempt: "return fs.readdirSync('/proc/1/fd').length", must: nothing },
    { name: "the keeper's working directory", attempt: "return fs.readdirSync('/proc/1/cwd').length", must: nothing },
    { name: "the keeper's stack", attempt: "return read('/proc/1/stack')", must: nothing },
    { name: 'a file of the host', attempt: 'return read(HOST.file)', must: 'ENOENT' },
    { name: 'a file of the host through every process', attempt: "for (const p of fs.readdirSync('/proc').filter((n) => /^\\d+$/.test(n))) try { return read('/proc/' + p + '/root' + HOST.file) } catch {} return 'none'", must: 'none' },
    { name: 'processes of the host', attempt: "return fs.readdirSync('/proc').filter((n) => /^\\d+$/.test(n)).length < 8", must: true },
    { name: 'passwords', attempt: "return read('/etc/shadow')", must: 'ENOENT' },
    { name: 'users', attempt: "return fs.readFileSync('/etc/passwd', 'utf8').trim().split('\\n').map((l) => l.split(':')[0]).join()", must: 'root,keeper,job' },
    { name: 'the name of the machine', attempt: 'return os.hostname()', must: 'box' },
    { name: "the machine's id", attempt: "return read('/etc/machine-id')", must: 'ENOENT' },
    { name: "the host's name servers", attempt: "return fs.readFileSync('/etc/resolv.conf', 'utf8').match(/nameserver .*/g)?.join() ?? 'none'", must: /^(none|nameserver 127.0.0.1)$/ },
    { name: "the kernel's memory", attempt: "const f = fs.openSync('/proc/kcore'); return fs.readSync(f, Buffer.alloc(64)) > 0 ? 'reached' : 'empty'", must: /^(EACCES|EPERM|ENOENT|empty)$/ },
    { name: "the kernel's addresses", attempt: "const t = fs.readFileSync('/proc/kallsyms', 'utf8'); return /^(?!0{16})[0-9a-f]{16} /m.test(t) ? 'reached' : 'none'", must: /^(none|ENOENT|EACCES)$/ },
    { name: "the kernel's messages", attempt: "return read('/dev/kmsg')", must: nothing },
    { name: "the kernel's keys", attempt: "return fs.readFileSync('/proc/keys', 'utf8').trim() || 'none'", must: /^(none|ENOENT|EACCES)$/ },
    { name: 'timers of all processes', attempt: "return fs.readFileSync('/proc/timer_list', 'utf8') || 'none'", must: /^(none|ENOENT|EACCES)$/ },
    { name: 'firmware', attempt: "return fs.readdirSync('/sys/firmware').length || 'none'", must: /^(none|ENOENT|EACCES)$/ },
    { name: 'disks', attempt: "return ['sda', 'vda', 'nvme0n1', 'xvda', 'mem', 'kvm', 'fuse', 'net/tun', 'loop-control'].filter((d) => fs.existsSync('/dev/' + d)).join()", must: 'nothing' },
    { name: "the engine's folders", attempt: "return ['/var', '/run', '/root', '/home', '/mnt', '/opt', '/usr/bin', '/bin/sh', '/boot'].filter((d) => fs.existsSync(d) && (fs.statSync(d).isFile() || fs.readdirSync(d).length > 0)).join()", must: 'nothing' },
    { name: 'its place among the control groups', attempt: "return /[0-9a-f]{32}|auton8n/.test(fs.readFileSync('/proc/self/cgroup', 'utf8')) ? 'reached' : 'none'", must: 'none' },
    { name: 'its limits, raised', attempt: "for (const f of ['memory/memory.limit_in_bytes', 'memory.max', 'pids/pids.max', 'pids.max']) try { return write('/sys/fs/cgroup/' + f, '-1') } catch {} return 'none'", must: 'none' },
    { name: 'another control group', attempt: "for (const f of ['memory', 'pids', 'cpu', '.']) try { fs.mkdirSync('/sys/fs/cgroup/' + f + '/mine'); return 'reached' } catch {} return 'none'", must: 'none' },
    { name: "a program of the host's at a crash", attempt: "return write('/proc/sys/kernel/core_pattern', '|/tmp/x')", must: nothing },
    { name: 'a release agent', attempt: "for (const f of ['memory', 'cpu', 'pids', '.']) try { return write('/sys/fs/cgroup/' + f + '/release_agent', '/tmp/x') } catch {} return 'none'", must: 'none' },
    { name: "the machine's emergency keys", attempt: "return write('/proc/sysrq-trigger', 'b')", must: nothing },
    { name: 'how others are picked when memory runs out', attempt: "return write('/proc/1/oom_score_adj', '1000')", must: nothing },
    { name: 'a helper of the kernel', attempt: "return write('/proc/sys/kernel/modprobe', '/tmp/x')", must: nothing },
    { name: 'user namespaces, more of them', attempt: "return write('/proc/sys/user/max_user_namespaces', '99')", must: nothing },
  ],
}
