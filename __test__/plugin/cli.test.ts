import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checksum } from '../native/scan-tokens.js'
import manifest from '../../package.json' with { type: 'json' }
import { buildPackage, type BuiltPackage } from '../support/builtPackage.js'
import { greetingSpecification } from '../support/greetingPlugin.js'
import { sandboxIsHere } from '../support/needs.js'

const sandbox = await sandboxIsHere()

interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

let built: BuiltPackage
let home: string

beforeAll(async () => {
  built = await buildPackage({ addon: true })
  home = await realpath(await mkdtemp(join(tmpdir(), 'auton8n-cli-')))
})
afterAll(async () => {
  await built.remove()
  await rm(home, { recursive: true, force: true })
})

function auton8n(...args: string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const { ANTHROPIC_API_KEY: _key, ...env } = process.env
    const child = spawn(process.execPath, [join(dirname(built.entry), 'cli', 'main.js'), ...args], {
      cwd: home,
      env: { ...env, AUTON8N_DATA_DIR: join(home, 'data') },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const outcome: Outcome = { code: null, stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => (outcome.stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (outcome.stderr += chunk.toString()))
    child.once('error', reject)
    child.once('close', (code) => resolve({ ...outcome, code }))
  })
}

it('ends quietly where whoever reads it has gone, with the exit code of what it found', async () => {
  const many = join(home, 'many')
  await mkdir(many)
  const token = checksum('m8Lw5PdH3sN6yJ1cG0fT8uEaR2vB4k')
  for (let at = 0; at < 3000; at++) await writeFile(join(many, `${at}.txt`), `${token}\n`)
  for (const format of ['text', 'json']) {
    const args = [join(dirname(built.entry), 'cli', 'main.js'), 'scan', many, '--format', format]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.stdout.once('data', () => child.stdout.destroy())
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect({ code, said }).toEqual({ code: 1, said: '' })
  }
})

describe('help and version', () => {
  it.each([['--help'], ['-h'], ['help']])('%s says what there is', async (flag) => {
    const { code, stdout } = await auton8n(flag)
    expect(code).toBe(0)
    for (const command of ['create', 'verify', 'scan', 'jobs', 'cancel', 'doctor']) expect(stdout).toContain(command)
  })

  it('--version prints the version of the package', async () => {
    expect(await auton8n('--version')).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' })
  })

  it.each(['create', 'verify', 'scan', 'jobs', 'cancel', 'trace', 'doctor'])('%s --help says how', async (command) => {
    const { code, stdout } = await auton8n(command, '--help')
    expect(code).toBe(0)
    expect(stdout).toContain(`auton8n ${command}`)
  })
})

describe('wrong use ends with 2 and says how it is right', () => {
  it.each([
    [[]],
    [['crate', 'x.json']],
    [['toString']],
    [['create']],
    [['create', 'word']],
    [['create', 'a.json', 'b.json']],
    [['create', 'a.json', '--generator', 'magic']],
    [['create', 'a.json', '--max-iterations', 'many']],
    [['create', 'a.json', '--max-iterations', '0']],
    [['create', 'a.json', '--max-iterations', '51']],
    [['create', 'a.json', '--timeout', '0']],
    [['create', 'a.json', '--timeout', '1e3']],
    [['create', 'a.json', '--oout', 'x']],
    [['jobs', '--limit', 'abc']],
    [['jobs', '--limit', '0']],
    [['jobs', '--limit', '']],
    [['jobs', '--status', 'nope']],
    [['verify']],
    [['verify', 'a', 'b']],
    [['cancel']],
    [['jobs', 'x']],
    [['doctor', '--fast']],
  ])('%j', async (args: string[]) => {
    const name = ['create', 'verify', 'cancel', 'jobs', 'doctor'].includes(args[0] ?? '') ? args[0] : ''
    if (args[0] === 'create' && args[1] === 'a.json') await writeFile(join(home, 'a.json'), '{}')
    const { code, stdout, stderr } = await auton8n(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(name ? `auton8n ${name}` : 'create')
  })
})

describe('what cannot be done ends with 1 and a code', () => {
  it('a specification that is not there', async () => {
    const { code, stderr } = await auton8n('create', 'missing.json')
    expect(code).toBe(1)
    expect(stderr).toContain('AUTON8N_FILE_UNREADABLE')
  })

  it.each([['scan'], ['verify']])('%s of a place that is not there', async (command) => {
    const { code, stderr } = await auton8n(command, join(home, 'nonexist'))
    expect(code).toBe(1)
    expect(stderr).toContain('AUTON8N_FILE_UNREADABLE')
  })

  it('a specification that is not JSON, for machines', async () => {
    await writeFile(join(home, 'broken.json'), '{"name":')
    const { code, stdout } = await auton8n('create', 'broken.json', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'AUTON8N_SPECIFICATION_INVALID' } })
  })
})

describe('the engine', () => {
  it('lists nothing where there is nothing', async () => {
    expect(await auton8n('jobs')).toEqual({ code: 0, stdout: 'There are no jobs.\n', stderr: '' })
    expect(JSON.parse((await auton8n('jobs', '--json')).stdout)).toEqual([])
  })

  it('cancels no job that is not there', async () => {
    const { code, stderr } = await auton8n('cancel', '01999999-0000-7000-8000-000000000000')
    expect(code).toBe(1)
    expect(stderr).toContain('AUTON8N_JOB_NOT_FOUND')
  })

  it('draws no trace that is not there', async () => {
    const none = await auton8n('trace', '01999999-0000-7000-8000-000000000000')
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('AUTON8N_JOB_NOT_FOUND') })
    expect(await auton8n('trace', 'ab'.repeat(16))).toMatchObject({ code: 1, stdout: expect.stringContaining('no spans') })
  })

  it('tells every problem of a specification', async () => {
    await writeFile(join(home, 'bad.json'), JSON.stringify({ name: '../x', description: '' }))
    const { code, stderr } = await auton8n('create', 'bad.json')
    expect(code).toBe(1)
    expect(stderr).toContain('AUTON8N_SPECIFICATION_INVALID')
    expect(stderr).toContain('$.name')
    expect(stderr).toContain('$.description')
  })

  it('needs a model for words', async () => {
    const { code, stderr } = await auton8n('create', 'a plugin that greets people')
    expect(code).toBe(1)
    expect(stderr).toContain('AUTON8N_MODEL_NEEDED')
  })

  it('says what is here', async () => {
    const { code, stdout } = await auton8n('doctor', '--json')
    const { status } = JSON.parse(stdout) as { status: string }
    expect(code).toBe(status === 'ok' ? 0 : 1)
    const told = (await auton8n('doctor')).stdout
    expect(told).toMatch(/^sandboxes:(\n {2}\S+.*, usable (yes|no),.*)+$/m)
    expect(told).not.toMatch(/[{}[\]]/)
  })

  it.skipIf(!sandbox)('makes a plugin, tells each stage and check, verifies it, and sees where it was broken', async () => {
    await writeFile(join(home, 'greeting.json'), JSON.stringify(greetingSpecification))
    const made = await auton8n('create', 'greeting.json', '--out', 'made')
    expect(made).toMatchObject({ code: 0, stderr: '' })
    for (const stage of ['validate', 'generate', 'type-check', 'lint', 'build', 'test', 'boot', 'package']) {
      expect(made.stdout).toMatch(new RegExp(`^ *[0-9.]+ s ${stage}`, 'm'))
      expect(made.stdout).toMatch(new RegExp(`^  ✓ ${stage} `, 'm'))
    }
    expect(made.stdout).toContain('Report: passed')
    expect(made.stdout).toContain(`lies in ${join(home, 'made')}`)

    expect(await auton8n('verify', 'made', '--spec', 'greeting.json')).toMatchObject({ code: 0 })
    const entry = join(home, 'made', 'src', 'index.ts')
    await writeFile(entry, `${await readFile(entry, 'utf8')}\nexport const count: number = 'text'\n`)
    const broken = await auton8n('verify', 'made', '--spec', 'greeting.json')
    expect(broken.code).toBe(1)
    expect(broken.stdout).toContain('✗ type-check')
    const listed = JSON.parse((await auton8n('jobs', '--json')).stdout) as { id: string; status: string }[]
    expect(listed.map(({ status }) => status)).toEqual(['completed'])

    const drawn = await auton8n('trace', listed[0]?.id ?? '')
    expect(drawn).toMatchObject({ code: 0, stderr: '' })
    for (const name of ['create plugin', '  generate', '  boot', '    sandbox run']) {
      expect(drawn.stdout).toMatch(new RegExp(`^${name} +[0-9.]+ (µs|ms|s) │ *█+ *│`, 'm'))
    }
  })
})
