import type { SandboxOptions, SandboxRun, SandboxRunOptions } from '../../../plugin/api/sandbox.js'

export type EngineName = NonNullable<SandboxOptions['engine']>

/** Things of the host that a case tries to reach; given to it as JSON in its environment variable `HOST`. */
export interface Host {
  /** A port on which the host listens, on all addresses. */
  port: number
  /** The name of an abstract unix socket of the host. */
  abstract: string
  /** A file of the host, readable by everybody. */
  file: string
  /** The namespaces of the host's processes, by their kinds. */
  namespaces: Record<string, string>
}

/**
 * An attempt: JavaScript that answers what it reached. All attempts of a class are one program in one box, each within
 * its own time, so many of them are one quick run. `reached` means that it got out; anything in `must` is what has to
 * come instead, an error's code among them.
 */
export interface Attempt {
  name: string
  attempt: string
  must: unknown
}

/** A small project with what must happen to it. Its entry is `main.mjs` where no command is given. */
export interface Project {
  name: string
  files?: Record<string, string>
  /** Short for `files: { 'main.mjs': … }`. */
  main?: string
  command?: string[]
  timeout?: number
  collect?: string[]
  must: Partial<Pick<SandboxRun, 'exitCode' | 'timedOut' | 'oomKilled' | 'truncated'>> & {
    /** What ended it, or held it, by the kernel's counters. */
    stoppedBy?: string | RegExp
    /** What is collected. */
    files?: string[]
    /** The code with which the run rejects. */
    rejects?: string
    prints?: string | RegExp
  }
}

/** Bun calls the C library directly. */
export const bun = `/sandbox/node_modules/@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}/bin/bun`

/** One class of attack. */
export interface HostileClass {
  attempts?: Attempt[]
  projects?: Project[]
  /** System calls, by what they are for: a number and its arguments. Each must be refused. */
  calls?: Record<string, (number | 'p')[]>
}

/** What every attempt may use. */
const PRELUDE = `
import fs from 'node:fs'; import net from 'node:net'; import dgram from 'node:dgram'; import dns from 'node:dns/promises'
import os from 'node:os'; import { spawn, spawnSync } from 'node:child_process'; import { createRequire } from 'node:module'
const require = createRequire(import.meta.url); const HOST = JSON.parse(process.env.HOST)
const connect = (to) => new Promise((done) => { const s = net.connect({ timeout: 1500, ...to }, () => { s.destroy(); done('reached') })
  s.on('error', (e) => done(e.code)); s.on('timeout', () => { s.destroy(); done('timeout') }) })
const read = (path) => { fs.readFileSync(path); return 'reached' }
const write = (path, text = 'x') => { fs.writeFileSync(path, text); return 'reached' }
const open = (path, how) => { fs.closeSync(fs.openSync(path, how)); return 'reached' }
const within = (run) => Promise.race([run(), new Promise((done) => setTimeout(done, 2500, 'silence').unref())])
const told = {}
const attempt = async (name, run) => { try { told[name] = (await within(run)) ?? 'nothing' } catch (e) { told[name] = e.code ?? e.name } }
`

/** The program that makes all attempts of a class. */
export function programOf(attempts: Attempt[]): string {
  const calls = attempts.map(({ name, attempt }) => `await attempt(${JSON.stringify(name)}, async () => { ${attempt} })`)
  return `${PRELUDE}${calls.join('\n')}\nconsole.log(JSON.stringify(told)); process.exit()`
}

/** What a project asks of the sandbox. */
export function runOf({ files, main, command, timeout = 20_000, collect }: Project): SandboxRunOptions {
  return {
    command: command ?? ['node', 'main.mjs'],
    files: { ...files, ...(main === undefined ? {} : { 'main.mjs': main }) },
    timeout,
    ...(collect === undefined ? {} : { collect }),
  }
}

/** The program that makes each call; it prints those that the kernel let through. */
export function programOfCalls(calls: NonNullable<HostileClass['calls']>): string {
  // The buffer begins with the header of capabilities (version 3, this process) and reads as large numbers elsewhere.
  return `const { dlopen, ptr, FFIType: T } = require('bun:ffi')
    const { symbols: c } = dlopen('libc.so.6', { syscall: { args: Array(7).fill(T.i64), returns: T.i64 } })
    const told = {}
    for (const [name, numbers] of Object.entries(${JSON.stringify(calls)})) {
      const block = Buffer.alloc(256, 0); block.set([0x22, 0x05, 0x08, 0x20]); block.fill(0xff, 8, 32)
      const p = ptr(block); const all = numbers.map((n) => n === 'p' ? p : n)
      const answer = Number(c.syscall(...Array.from({ length: 7 }, (_, i) => all[i] ?? 0)))
      if (numbers[0] === 56 && answer === 0) process.exit()
      told[name] = answer < 0 ? 'refused' : 'reached ' + answer
    }
    console.log(JSON.stringify(told))`
}
