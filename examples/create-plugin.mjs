// Creates a plugin from a specification and prints every check: node examples/create-plugin.mjs [SPECIFICATION.json]
import { readFile } from 'node:fs/promises'
import { createPlugin } from '@elizaos/plugin-auton8n'

const path = process.argv[2] ?? new URL('weather.json', import.meta.url)
const specification = JSON.parse(await readFile(path, 'utf8'))

// Without a model the template generator writes it; with `model` or `apiKey` a model does.
const creation = await createPlugin(specification)

for await (const event of creation.events()) {
  if (event.type === 'stage') console.log(event.stage, event.status ?? '')
}

try {
  const plugin = await creation.result()
  for (const check of plugin.report.checks) {
    console.log(`${check.status.padEnd(12)} ${check.name} (${check.where}, ${check.durationMs} ms)`)
  }
  console.log(`${plugin.name}@${plugin.version}: ${plugin.directory}\nnpm install ${plugin.tarball}`)
} catch (error) {
  console.error(`${error.code}: ${error.message}`)
  process.exitCode = 1
}
