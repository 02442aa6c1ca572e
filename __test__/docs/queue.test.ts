import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { killChildren, startNode } from '../support/children.js'

const folder = mkdtempSync(join(tmpdir(), 'auton8n-example-'))

afterEach(async () => {
  await killChildren()
  rmSync(folder, { recursive: true, force: true })
})

test('the example of docs/queue.md compiles and runs', async () => {
  const [, example = ''] = /```ts\n([^]*?)```/.exec(readFileSync('docs/queue.md', 'utf8')) ?? []
  writeFileSync(join(folder, 'example.mts'), example)
  mkdirSync(join(folder, 'node_modules/@elizaos'), { recursive: true })
  symlinkSync(resolve('.'), join(folder, 'node_modules/@elizaos/plugin-auton8n'))
  const tsc = resolve('node_modules/typescript/bin/tsc')
  const types = ['--types', 'node', '--typeRoots', resolve('node_modules/@types'), '--skipLibCheck']
  const modern = ['--target', 'es2023', '--module', 'nodenext', '--strict']
  execFileSync(process.execPath, [tsc, ...modern, ...types, 'example.mts'], { cwd: folder, stdio: 'pipe' })
  const child = startNode(['example.mjs'], { cwd: folder })
  expect(await child.ended).toBe(0)
  expect(child.lines).toEqual(['resize again: the camera still writes it', 'to 640 pixels', '1920 bytes'])
})
