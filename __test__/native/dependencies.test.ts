import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { crc32, deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkDependencies, updateAdvisories, type DependencyReport } from '../../plugin/index.js'

const run = promisify(execFile)
const CLI = resolve('dist/cli/main.js')

let folder = ''
const servers: ReturnType<typeof createServer>[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'auton8n-dependencies-'))
})

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  await rm(folder, { recursive: true, force: true })
})

async function serve(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void): Promise<string> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => answer(request, response, body))
  })
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** An archive in the form of OSV's: each record deflated, then the directory. */
function zip(records: { id: string }[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const record of records) {
    const name = Buffer.from(`${record.id}.json`)
    const data = Buffer.from(JSON.stringify(record))
    const packed = deflateRawSync(data)
    const facts = Buffer.alloc(22)
    facts.writeUInt16LE(8, 0)
    facts.writeUInt32LE(crc32(data), 6)
    facts.writeUInt32LE(packed.length, 10)
    facts.writeUInt32LE(data.length, 14)
    facts.writeUInt16LE(name.length, 18)
    const local = Buffer.concat([Buffer.from('504b030414000000', 'hex'), facts, name, packed])
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('504b0102140014000000', 'hex'), facts, place, name]))
    parts.push(local)
    offset += local.length
  }
  const list = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(records.length, 4)
  end.writeUInt16LE(records.length, 6)
  end.writeUInt32LE(list.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...parts, list, Buffer.from('504b0506', 'hex'), end])
}

const record = {
  id: 'GHSA-test-test-test',
  modified: '2026-01-01T00:00:00Z',
  summary: 'A made-up one, for this test',
  affected: [{ package: { ecosystem: 'npm', name: 'some-package' }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.2.0' }] }] }],
  database_specific: { severity: 'HIGH' },
}

const codes = (report: DependencyReport, name: string): string[] => [
  ...new Set(report.findings.filter((finding) => finding.package === name).map(({ code }) => code)),
]

describe('offline', () => {
  const manifest = { name: '@me/plugin', version: '1.0.0', dependencies: { lodash: '4.17.15', lodahs: '^1', 'event-stream': '3.3.6' } }

  it('takes a manifest, its text, its file and its folder', async () => {
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
    for (const given of [manifest, JSON.stringify(manifest), join(folder, 'package.json'), folder]) {
      const report = await checkDependencies(given, { offline: true })
      expect(report.verdict).toBe('failed')
      expect(codes(report, 'lodahs')).toContain('look-alike')
      expect(codes(report, 'event-stream')).toContain('blocked')
      expect(report.findings.find(({ code }) => code === 'vulnerable')).toMatchObject({
        package: 'lodash',
        path: ['lodash'],
        severity: 'high',
        advisory: 'GHSA-35jh-r3h4-6jhm',
        fix: 'take 4.17.21 or later',
      })
      expect(report.advisoriesAsOf).toMatch(/^\d{4}-\d\d-\d\d$/)
    }
  })

  it('reads the lock file beside a manifest, or the one it is given', async () => {
    const place = await mkdtemp(join(folder, 'lock-'))
    const packages = { 'node_modules/qs': { version: '6.7.0', integrity: 'sha512-AA==' } }
    const lock = { lockfileVersion: 3, packages }
    await writeFile(join(place, 'package.json'), JSON.stringify({ dependencies: { qs: '^6.7.0' } }))
    await writeFile(join(place, 'package-lock.json'), JSON.stringify(lock))
    expect(codes(await checkDependencies(place, { offline: true }), 'qs')).toEqual(['vulnerable'])
    const given = await checkDependencies({ dependencies: { qs: '^6.7.0' } }, { offline: true, lock })
    expect(codes(given, 'qs')).toEqual(['vulnerable'])
  })

  it('never lets what is unknown pass', async () => {
    const report = await checkDependencies({ dependencies: { zod: '4.0.0' } }, { offline: true, minimumAge: 0 })
    expect(report.verdict).toBe('unknown')
    expect(codes(report, 'zod')).toEqual(['unknown'])
    expect(await checkDependencies({}, { offline: true })).toMatchObject({ verdict: 'passed', findings: [], packages: 0 })
  })

  it('refuses what is no manifest and no option, and says why', async () => {
    const cyclic: { self?: unknown } = {}
    cyclic.self = cyclic
    for (const wrong of [undefined, null, 7, '', [], cyclic, '{', { dependencies: [] }, { dependencies: { a: 1 } }]) {
      const failed = checkDependencies(wrong as object, { offline: true })
      await expect(failed, String(wrong)).rejects.toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
    }
    for (const options of [{ ofline: true }, { timeout: 0 }, { minimumAge: -1 }, { omit: ['x'] }, { allow: [7] }, { registry: 'ftp://x' }, { lock: '{}' }, { lock: 7 }]) {
      const failed = checkDependencies({}, { offline: true, ...options } as object)
      await expect(failed, JSON.stringify(options)).rejects.toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
    }
    await expect(checkDependencies(join(folder, 'absent'))).rejects.toMatchObject({ code: 'AUTON8N_FILE_UNREADABLE' })
    const none = checkDependencies({}, { advisories: join(folder, 'absent') })
    await expect(none).rejects.toMatchObject({ code: 'AUTON8N_ADVISORIES_UNUSABLE' })
  })

  it('is not changed by names of prototypes', async () => {
    const text = '{"dependencies":{"__proto__":"1.0.0","constructor":"1.0.0","toString":"*"},"__proto__":{"polluted":true}}'
    const report = await checkDependencies(text, { offline: true })
    expect(report.packages).toBe(3)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it('judges a hundred thousand dependencies', async () => {
    const dependencies = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`package-number-${index}`, '^1.0.0']))
    expect((await checkDependencies({ dependencies }, { offline: true })).packages).toBe(100_000)
  })
})

describe('with a registry', () => {
  const year = 365 * 24 * 3600 * 1000
  const at = (age: number): string => new Date(Date.now() - age).toISOString()

  function registry(bulk: number | object, posted: unknown[] = []): Promise<string> {
    const packages: Record<string, object> = {
      'some-package': {
        'dist-tags': { latest: '1.1.0' },
        versions: { '1.1.0': { dependencies: { 'other-package': '^2.0.0' } } },
        time: { '1.1.0': at(year) },
      },
      'other-package': {
        'dist-tags': { latest: '2.0.1' },
        versions: { '2.0.0': {}, '2.0.1': { scripts: { postinstall: 'node evil.js' }, deprecated: 'gone' } },
        time: { '2.0.0': at(year), '2.0.1': at(3600_000) },
      },
    }
    return serve((request, response, body) => {
      const name = decodeURIComponent((request.url ?? '').slice(1))
      if (request.method === 'POST') {
        posted.push([request.url, JSON.parse(body)])
        response.writeHead(typeof bulk === 'number' ? bulk : 200).end(JSON.stringify(bulk))
      } else if (Object.hasOwn(packages, name)) response.end(JSON.stringify(packages[name]))
      else response.writeHead(404).end('{}')
    })
  }

  it('looks at what packages bring along, and asks the advisory endpoint as npm does', async () => {
    const posted: unknown[] = []
    const advisory = {
      id: 1,
      url: 'https://github.com/advisories/GHSA-test-test-test',
      title: 'A made-up one',
      severity: 'critical',
      vulnerable_versions: '<1.2.0',
    }
    const address = await registry({ 'some-package': [advisory] }, posted)
    const report = await checkDependencies({ dependencies: { 'some-package': '^1.0.0' } }, { registry: address })
    expect(posted).toEqual([['/-/npm/v1/security/advisories/bulk', { 'other-package': ['2.0.1'], 'some-package': ['1.1.0'] }]])
    expect(codes(report, 'some-package')).toEqual(['vulnerable'])
    expect(codes(report, 'other-package').sort()).toEqual(['deprecated', 'install-script', 'too-new'])
    expect(report.findings.find(({ code }) => code === 'too-new')?.path).toEqual(['some-package', 'other-package'])
    expect(report.answers).toEqual({ vulnerable: 1, clean: 1, unknown: 0 })
    expect(report.advisoriesAsOf).toBe(new Date().toISOString().slice(0, 10))
  })

  it('says unknown where the endpoint does not answer, and leaves it alone after a while', async () => {
    const posted: unknown[] = []
    const address = await registry(405, posted)
    for (let round = 0; round < 4; round++) {
      const report = await checkDependencies({ dependencies: { 'some-package': '^1.0.0' } }, { registry: address, minimumAge: 0, allow: ['other-package'] })
      expect(report.verdict).toBe('unknown')
      expect(report.findings.some(({ reason }) => reason.includes('advisory endpoint gave no answer'))).toBe(true)
    }
    expect(posted).toHaveLength(2)
  })

  it('tells a package that the registry does not have', async () => {
    const report = await checkDependencies({ dependencies: { 'nobody-has-this': '^1.0.0' } }, { registry: await registry({}) })
    expect(report.verdict).toBe('unknown')
    expect(report.findings.some(({ package: name, reason }) => name === 'nobody-has-this' && reason.includes('does not have it'))).toBe(true)
  })

  it('ends by its time-out and by a signal, with a registry that is silent', async () => {
    const address = await serve(() => {})
    const slow = await checkDependencies({ dependencies: { zod: '^1.0.0' } }, { registry: address, timeout: 300 })
    expect(slow.verdict).toBe('unknown')
    const aborted = new AbortController()
    const check = checkDependencies({ dependencies: { zod: '^1.0.0' } }, { registry: address, signal: aborted.signal })
    setTimeout(() => aborted.abort(), 50)
    await expect(check).rejects.toMatchObject({ code: 'AUTON8N_CANCELLED' })
  })
})

describe('the file of advisories', () => {
  it('is made of an archive that a server has, and covers every package', async () => {
    const archive = zip([record, { ...record, id: 'PYSEC-1', affected: [{ package: { ecosystem: 'PyPI', name: 'x' } }] } as typeof record])
    const address = await serve((_, response) => response.end(archive))
    const to = join(folder, 'npm.advisories')
    const sha256 = createHash('sha256').update(archive).digest('hex')
    const told = await updateAdvisories({ from: `${address}npm/all.zip`, sha256, to })
    expect(told).toMatchObject({ path: to, archiveSha256: sha256, header: { advisories: 1, packages: 1, skipped: 0 } })
    const options = { offline: true, advisories: to, minimumAge: 0 }
    const lock = (version: string) => ({ lockfileVersion: 3, packages: { 'node_modules/some-package': { version, integrity: 'sha512-AA==' } } })
    const manifest = { dependencies: { 'some-package': '^1.0.0' } }
    const bad = await checkDependencies(manifest, { ...options, lock: lock('1.1.0') })
    expect(bad.findings).toMatchObject([{ code: 'vulnerable', advisory: record.id, fix: 'take 1.2.0 or later' }])
    const good = await checkDependencies(manifest, { ...options, lock: lock('1.2.0') })
    expect(good).toMatchObject({ verdict: 'passed', findings: [], answers: { clean: 1 }, advisoriesAsOf: told.header.date })
  })

  it('stays as it was where an update fails', async () => {
    const to = join(folder, 'kept.advisories')
    await updateAdvisories({ from: await serve((_, response) => response.end(zip([record]))), to })
    const before = await readFile(to)
    const broken = await serve((_, response) => response.end('no archive'))
    const absent = await serve((_, response) => response.writeHead(503).end())
    for (const from of [broken, absent, join(folder, 'absent.zip')]) {
      await expect(updateAdvisories({ from, to })).rejects.toMatchObject({ code: 'AUTON8N_ADVISORIES_UNUSABLE' })
    }
    const wrong = updateAdvisories({ from: await serve((_, response) => response.end(zip([record]))), to, sha256: '0'.repeat(64) })
    await expect(wrong).rejects.toMatchObject({ code: 'AUTON8N_ADVISORIES_UNUSABLE' })
    expect(await readFile(to)).toEqual(before)
    await writeFile(to, before.subarray(0, before.length - 10))
    const damaged = checkDependencies({ dependencies: { 'some-package': '1.0.0' } }, { offline: true, advisories: to })
    await expect(damaged).rejects.toMatchObject({ code: 'AUTON8N_ADVISORIES_UNUSABLE' })
  })
})

describe('the command line', () => {
  const cli = async (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    await run(process.execPath, [CLI, ...args]).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    )

  it('judges a folder: 0 passed, 1 failed or unknown, 2 wrong use', async () => {
    const place = await mkdtemp(join(folder, 'cli-'))
    await writeFile(join(place, 'package.json'), JSON.stringify({ dependencies: { lodahs: '^1.0.0' } }))
    const failed = await cli('dependencies', place, '--offline')
    expect([failed.code, failed.stdout]).toEqual([1, expect.stringContaining('look-alike: lodahs@^1.0.0')])
    const json = await cli('dependencies', join(place, 'package.json'), '--offline', '--format', 'json')
    expect(JSON.parse(json.stdout)).toMatchObject({ verdict: 'failed', packages: 1 })
    await writeFile(join(place, 'package.json'), '{}')
    expect((await cli('dependencies', place, '--offline')).code).toBe(0)
    for (const args of [[], [place, 'more'], [place, '--format', 'xml'], [place, '--omit', 'x'], [place, '--minimum-age', 'x'], [place, '--nonsense']]) {
      expect((await cli('dependencies', ...args)).code, args.join(' ')).toBe(2)
    }
    expect((await cli('dependencies', join(place, 'absent'))).code).toBe(1)
  })

  it('says which advisories are here, and fetches them', async () => {
    const to = join(folder, 'cli.advisories')
    const from = await serve((_, response) => response.end(zip([record])))
    const updated = await cli('advisories', 'update', '--from', from, '--to', to)
    expect([updated.code, updated.stdout]).toEqual([0, expect.stringContaining('1 advisories about 1 packages')])
    const env = { ...process.env, AUTON8N_ADVISORIES: to }
    const { stdout } = await run(process.execPath, [CLI, 'advisories', '--json'], { env })
    expect(JSON.parse(stdout)).toMatchObject({ file: { path: to, advisories: 1 }, shipped: { advisories: expect.any(Number) } })
    expect((await cli('advisories', 'nonsense')).code).toBe(2)
  })
})
