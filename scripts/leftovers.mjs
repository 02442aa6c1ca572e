// Tests leave nothing behind: each run gets a temporary folder of its own, and what stays in it, still runs or is still
// mounted afterwards is named. Containers and images are those of ours that were not there before.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What ends by itself gets so long, in milliseconds: a box's monitor, or a container that is being removed. */
const PATIENCE = 30_000

/** Begins to watch. `env` is for the processes of the run; `end` answers what they left, a line each, and removes the files. */
export function watchRun() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'auton8n-')))
  // A database server of the tests runs as another user.
  chmodSync(folder, 0o755)
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  const before = new Set(leftInEngine())
  const look = () => [...files(folder), ...mounts(folder), ...processes(folder), ...groups(), ...leftInEngine().filter((line) => !before.has(line))]
  return {
    env: { TMPDIR: folder, TMP: folder, TEMP: folder },
    async end() {
      const end = Date.now() + PATIENCE
      let left = look()
      while (left.length > 0 && Date.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, 250))
        left = look()
      }
      return left
    },
  }
}

/** What was left, as a message; empty where nothing was. */
export function told(left) {
  return left.length === 0 ? '' : `The tests left behind:\n${left.map((line) => `  ${line}\n`).join('')}`
}

function files(folder) {
  return readdirSync(folder).map((name) => `the temporary file ${name}: ${within(join(folder, name)).slice(0, 5).join(', ')}`)
}

function within(path) {
  try {
    return readdirSync(path)
  } catch {
    return ['it is no folder']
  }
}

function mounts(folder) {
  const lines = text('/proc/self/mountinfo').split('\n')
  return lines.map((line) => line.split(' ')[4] ?? '').filter((path) => path.startsWith(`${folder}/`)).map((path) => `the mount ${path}`)
}

/** All but this one and its own children, which its caller ends. */
function processes(folder) {
  return numbers('/proc').filter((pid) => pid !== process.pid && text(`/proc/${pid}/environ`).includes(`TMPDIR=${folder}\0`)).flatMap((pid) => {
    const [state, parent] = text(`/proc/${pid}/stat`).replace(/^.*\) /s, '').split(' ')
    if (state === undefined || state === 'Z' || Number(parent) === process.pid) return []
    return [`process ${pid}: ${text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 200)}`]
  })
}

/** Groups of boxes whose owner is dead while something runs in them. An empty one is swept by the next who opens a sandbox. */
function groups() {
  return ['', '/memory', '/pids'].map((tree) => `/sys/fs/cgroup${tree}/auton8n`).flatMap((tree) =>
    within(tree)
      .filter((name) => /^\d+-/.test(name) && !isAlive(Number.parseInt(name, 10)))
      .filter((name) => text(join(tree, name, 'cgroup.procs')).trim() !== '')
      .map((name) => `a box that runs in ${tree}/${name}`),
  )
}

/** Containers of ours whose owner is dead, and images of ours that have no name: those with one are kept for the next run. */
export function leftInEngine() {
  const boxes = docker('ps', '-a', '--filter', 'label=auton8n.owner', '--format', '{{.ID}} {{.Label "auton8n.owner"}}')
  const images = docker('images', '-q', '--filter', 'label=auton8n.recipe', '--filter', 'dangling=true')
  return [
    ...boxes.filter((line) => !isAlive(Number(line.split(' ')[1]))).map((line) => `the container ${line.split(' ')[0]}`),
    ...images.map((id) => `the image ${id}`),
  ]
}

function docker(...args) {
  const { status, stdout } = spawnSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 20_000 })
  return status === 0 ? stdout.split('\n').filter(Boolean) : []
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function numbers(path) {
  return within(path).filter((name) => /^\d+$/.test(name)).map(Number)
}

function text(path) {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
