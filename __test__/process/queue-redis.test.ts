import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { JobQueue } from '../../plugin/api/queue.js'
import { killChildren, startNode, until } from '../support/children.js'
import { startRedis, withoutRedis, type Database } from '../support/database.js'
import { freePort } from '../support/ports.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const script = join(root, '__test__/process/queue-child.mjs')
const why = withoutRedis()

describe.skipIf(why !== undefined)(`Redis${why === undefined ? '' : ` (left out: ${why})`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'auton8n-redis-'))
  let server: Database | undefined

  afterEach(async () => {
    await killChildren()
    await server?.close()
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  function openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  }

  test('a connection is encrypted, and only to a server that the system trusts', async () => {
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=test authority', '-keyout', 'ca.key', '-out', 'ca.crt')
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr')
    writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost')
    openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names', '-out', 'server.crt')
    const port = await freePort()
    const password = ['open', 'sesame'].join('')
    const tls = ['--tls-port', String(port), '--tls-auth-clients', 'no', '--requirepass', password]
    const files = { cert: 'server.crt', key: 'server.key', 'ca-cert': 'ca.crt' }
    for (const [name, file] of Object.entries(files)) tls.push(`--tls-${name}-file`, join(folder, file))
    server = await startRedis(...tls)
    const address = `rediss://:${password}@localhost:${port}/1`
    const trusting = startNode([script, 'work', address], { env: { ...process.env, SSL_CERT_FILE: join(folder, 'ca.crt') } })
    await until(() => trusting.lines.includes('ready'))
    const error = await JobQueue.open('q', { store: address }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'AUTON8N_STORE_UNAVAILABLE' })
    expect(`${String(error)} ${JSON.stringify(error)} ${String((error as Error).stack)}`).not.toContain(password)
  })

  test('a server that is set to drop keys is refused', async () => {
    server = await startRedis('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru')
    await expect(JobQueue.open('q', { store: server.url })).rejects.toMatchObject({
      code: 'AUTON8N_STORE_UNSUPPORTED',
      message: expect.stringContaining('noeviction'),
    })
  })

  test('the doctor warns of a server that keeps nothing on its disk', async () => {
    server = await startRedis('--appendonly', 'no')
    const { stdout } = spawnSync(process.execPath, [join(root, 'dist/cli/main.js'), 'doctor'], {
      encoding: 'utf8',
      env: { ...process.env, AUTON8N_STORE: server.url, AUTON8N_DATA_DIR: join(folder, 'data') },
    })
    expect(stdout).toContain('appendonly yes')
  })
})
