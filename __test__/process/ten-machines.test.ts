import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { after, killChildren, startNode, until } from '../support/children.js'
import { serverKinds, type Database } from '../support/database.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
let folder = ''
let database: Database | undefined

afterEach(async () => {
  await killChildren()
  await database?.close()
  if (folder !== '') rmSync(folder, { recursive: true, force: true })
})

test.for(serverKinds)('the guide from one process to ten machines on $name: three workers, one killed', async (kind, context) => {
  const why = kind.without()
  if (why !== undefined) return context.skip(why)
  folder = mkdtempSync(join(tmpdir(), 'auton8n-guide-'))
  const guide = readFileSync(join(root, 'docs/ten-machines.md'), 'utf8')
  for (const [, name = '', code = ''] of guide.matchAll(/```js (\S+)\n([^]*?)```/g)) writeFileSync(join(folder, name), code)
  mkdirSync(join(folder, 'node_modules/@elizaos'), { recursive: true })
  symlinkSync(root, join(folder, 'node_modules/@elizaos/plugin-auton8n'))
  database = await kind.start()
  const run = (file: string): ReturnType<typeof startNode> =>
    startNode([file], { cwd: folder, env: { ...process.env, STORE: database?.url } })

  const workers = [run('worker.mjs'), run('worker.mjs'), run('worker.mjs')]
  const [first, ...others] = workers
  await until(() => workers.every(worker => worker.lines.includes('working')))
  const adding = run('add.mjs')
  expect(await adding.ended).toBe(0)
  expect(adding.lines).toEqual(['added 300'])
  await until(() => after(first?.lines ?? [], 'sent').length > 10)
  first?.process.kill('SIGKILL')
  const killed = Date.now()

  const watching = run('watch.mjs')
  expect(await watching.ended).toBe(0)
  expect(watching.lines.at(-1)).toBe('waiting 0, running 0, completed 300, failed 0')
  const sent = workers.flatMap(worker => after(worker.lines, 'sent'))
  console.log(`${kind.name}: 300 added, ${new Set(sent).size} sent, ${sent.length - new Set(sent).size} of them twice, ` +
    `all ended ${Date.now() - killed} ms after the kill, lease 3000 ms`)
  expect(new Set(sent).size).toBe(300)
  expect(sent.length - 300).toBeLessThanOrEqual(5)
  expect(others.every(worker => after(worker.lines, 'sent').length > 10)).toBe(true)
  for (const { process } of others) process.kill('SIGTERM')
  expect(await Promise.all(others.map(worker => worker.ended))).toEqual([0, 0])
})
