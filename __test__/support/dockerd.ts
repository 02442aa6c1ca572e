import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import {
  closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statfsSync, writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A Docker engine of the test's own, so that it may be stopped, hung and killed. */
export class OwnDocker {
  readonly #directory = mkdtempSync(join(tmpdir(), 'auton8n-dockerd-'))
  readonly #data = join(this.#directory, 'data')
  readonly #filler = join(this.#data, 'filler')
  #process: ChildProcess | undefined

  /** With a size such as `700m`, all that it keeps lies on a disk of that size, which can be filled. */
  constructor(disk?: string) {
    if (disk === undefined) return
    mkdirSync(this.#data)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${disk}`, 'auton8n-test', this.#data])
  }

  get address(): `unix://${string}` {
    return `unix://${join(this.#directory, 'docker.sock')}`
  }

  /** Whether such an engine can be started here. */
  static get isPossible(): boolean {
    const found = ['/usr/sbin/dockerd', '/usr/bin/dockerd'].some((path) => existsSync(path))
    return found && process.platform === 'linux' && process.getuid?.() === 0
  }

  /** Starts it, or starts it again on what it had. A second runtime is known as `other`. */
  async start(): Promise<void> {
    const at = (name: string): string => join(this.#directory, name)
    const log = openSync(at('log'), 'a')
    const args = [
      '--host', this.address, '--data-root', this.#data, '--exec-root', at('exec'), '--pidfile', at('pid'),
      '--bridge=none', '--iptables=false', '--add-runtime', 'other=/usr/sbin/runc',
    ]
    // One that was killed leaves its files of process ids behind, and waits for what they name.
    for (const name of ['pid', 'exec/containerd/containerd.pid']) rmSync(at(name), { force: true })
    this.#process = spawn('dockerd', args, { stdio: ['ignore', log, log] })
    for (const end = Date.now() + 120_000; ; await new Promise((next) => { setTimeout(next, 100) })) {
      try {
        this.docker('version')
        return
      } catch (error) {
        if (Date.now() < end && this.#process.exitCode === null) continue
        throw new Error(`dockerd does not come up: ${readFileSync(at('log'), 'utf8').slice(-2_000)}`, { cause: error })
      }
    }
  }

  /** What the client says. */
  docker(...args: string[]): string {
    return execFileSync('docker', ['--host', this.address, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 }).trim()
  }

  get containers(): string[] {
    return this.docker('ps', '-aq').split('\n').filter(Boolean)
  }

  /** Takes in an archive of images. */
  load(archive: Buffer): void {
    execFileSync('docker', ['--host', this.address, 'load'], { input: archive, stdio: ['pipe', 'ignore', 'pipe'] })
  }

  /** Images of ours without a name. */
  get nameless(): string[] {
    return this.docker('images', '-q', '--filter', 'label=auton8n.recipe', '--filter', 'dangling=true').split('\n').filter(Boolean)
  }

  /** Of each container: `created` until it is started, `running`, `exited` and others. */
  get states(): string[] {
    return this.docker('ps', '-a', '--format', '{{.State}}').split('\n').filter(Boolean)
  }

  /** Bytes that are left on its disk. */
  get space(): number {
    const { bavail, bsize } = statfsSync(this.#data)
    return bavail * bsize
  }

  /** Fills its disk with a file, all but so many bytes. */
  fillDisk(but = 0): void {
    const block = Buffer.alloc(64 << 10)
    const file = openSync(this.#filler, 'w')
    try {
      while (this.space >= but) writeSync(file, block)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    } finally {
      closeSync(file)
    }
  }

  freeDisk(): void {
    rmSync(this.#filler)
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name)
  }

  async ended(): Promise<void> {
    const own = this.#process
    if (own && own.exitCode === null && own.signalCode === null) await new Promise((done) => { own.once('exit', done) })
  }

  async remove(): Promise<void> {
    this.signal('SIGCONT')
    this.signal('SIGTERM')
    await this.ended()
    releaseFolder(this.#directory)
    for (let turn = 0; turn < 50; turn++) {
      try {
        rmSync(this.#directory, { recursive: true, force: true })
        return
      } catch {
        await new Promise((next) => { setTimeout(next, 100) })
      }
    }
  }
}

/** What an engine that was killed leaves of its own: the shims of containers that are dead, and mounts. */
export function releaseFolder(directory: string): void {
  const commands = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  for (const pid of commands) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
      if (command.includes('containerd-shim') && command.includes(`${directory}/`)) process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').map((line) => line.split(' ')[4] ?? '')
  for (const path of mounts.filter((mount) => mount.startsWith(`${directory}/`)).toReversed()) {
    spawnSync('umount', ['--lazy', path])
  }
}
