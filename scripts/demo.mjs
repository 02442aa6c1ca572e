// The main job, to be watched: a plugin is made and proven, then one line of it is broken and refused.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { root, run } from './run.mjs'

run('node', ['scripts/setup.mjs'])

const cli = join(root, 'dist', 'cli', 'main.js')
const specification = join(root, 'examples', 'weather.json')
const out = join(root, '.auton8n', 'demo')
// A key or a store of whoever runs this has no part in it; what says how sandboxes are made does.
const settings = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).agentConfig.pluginParameters)
const unused = new Set(settings.filter((name) => !name.startsWith('AUTON8N_SANDBOX_')))
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !unused.has(name)))
rmSync(out, { recursive: true, force: true })

say(`A plugin is made from examples/weather.json`)
const created = auton8n('create', specification, '--out', out)
if (created !== 0) {
  process.stderr.write('\nThe plugin could not be made; what is missing stands above.\n')
  process.exit(created)
}

say('One line of a copy is broken: it makes the temperature up. The plugin must be refused')
const broken = mkdtempSync(join(tmpdir(), 'auton8n-demo-'))
process.once('exit', () => rmSync(broken, { recursive: true, force: true }))
copy(out, broken)
const where = breakOneLine(join(broken, 'src'))
process.stdout.write(`In ${where.file}, line ${where.line}:\n  - ${where.before}\n  + ${where.after}\n\n`)
const refused = auton8n('verify', broken, '--spec', specification)
if (refused !== 1) {
  process.stderr.write(`\nThe broken plugin should have been refused, but verify ended with ${refused}.\n`)
  process.exit(1)
}

say('Done')
process.stdout.write(`It said yes to the plugin in ${out} and no to its broken copy.\n`)

function auton8n(...args) {
  const ended = spawnSync(process.execPath, [cli, ...args], { cwd: root, env, stdio: 'inherit' })
  return ended.status ?? 1
}

function say(line) {
  process.stdout.write(`\n=== ${line} ===\n\n`)
}

/** Makes the answer up instead of asking for it: the code still compiles, and only running it shows the lie. */
function breakOneLine(folder) {
  for (const file of walk(folder)) {
    const lines = readFileSync(file, 'utf8').split('\n')
    const index = lines.findIndex((line) => line.includes('answer.succeed(') && line.includes('got.result'))
    if (index < 0) continue
    const before = lines[index]
    const after = before.replaceAll('got.result', "'21'")
    lines[index] = after
    writeFileSync(file, lines.join('\n'))
    return { file: relative(join(folder, '..'), file), line: index + 1, before: before.trim(), after: after.trim() }
  }
  throw new Error('the demo found no line to break; please report this')
}

function walk(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? walk(path) : [path]
  })
}

function copy(from, to) {
  for (const name of ['package.json', 'src', '__tests__']) {
    if (!existsSync(join(from, name))) continue
    cpSync(join(from, name), join(to, name), { recursive: true })
  }
}
