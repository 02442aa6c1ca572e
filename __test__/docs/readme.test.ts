import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { validateSpecification } from '../../plugin/index.js'

const run = promisify(execFile)
const readme = readFileSync('README.md', 'utf8')

/** The cells of a section's table, without its head. */
function table(section: string): string[][] {
  const text = readme.split(/^## /m).find((part) => part.startsWith(`${section}\n`))
  if (text === undefined) throw new Error(`README.md has no section '${section}'`)
  const rows = text.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((line) => line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim()))
}

const guides = readdirSync('docs').filter((name) => name.endsWith('.md')).map((name) => readFileSync(join('docs', name), 'utf8'))

function blocks(language: string, text = readme): string[] {
  return [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^\1```$/gm)]
    .filter(([, , found]) => found === language)
    .map(([, , , text]) => text as string)
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading.toLowerCase().replaceAll(/[^\w\- ]/g, '').replaceAll(' ', '-'))
}

const code = (cell: string | undefined): string => /^`([^`]*)`$/.exec(cell ?? '')?.[1] ?? ''

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
}

describe('the settings', () => {
  const declared: Record<string, { type: string; default?: string }> = manifest.agentConfig.pluginParameters
  const rows = table('Settings')

  it('are the same in plugin/settings.ts, agentConfig and the README', () => {
    const read = readFileSync('plugin/settings.ts', 'utf8').matchAll(/(?:text|number)\('([A-Z0-9_]+)'/g)
    const names = [...new Set([...read].map(([, name]) => name as string))].sort()
    expect(names.length).toBeGreaterThan(10)
    expect(Object.keys(declared).sort()).toEqual(names)
    expect(rows.map(([name]) => code(name)).sort()).toEqual(names)
  })

  it('have the default in the README that agentConfig gives them', () => {
    const given = Object.entries(declared).flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value]]))
    const shown = new Map(rows.map(([name, , standard]) => [code(name), code(standard)]))
    expect(given.map(([name]) => [name, shown.get(name as string)])).toEqual(given)
  })
})

describe('the errors', () => {
  const rows = table('Errors')
  const names = rows.map(([name]) => code(name))
  const engine = [...readFileSync('src/error.rs', 'utf8').matchAll(/=> "([A-Z_]+)",$/gm)].map(([, name]) => `AUTON8N_${name}`)

  it('of the engine are all in the table, in its order', () => {
    expect(engine.length).toBeGreaterThan(30)
    expect(names.slice(0, engine.length)).toEqual(engine)
  })

  it('of TypeScript alone are in the table too, and no other', () => {
    const settings = Object.keys(manifest.agentConfig.pluginParameters)
    const written = sources('plugin').flatMap((text) => text.match(/'AUTON8N_[A-Z_]*[A-Z]'/g) ?? [])
    const own = new Set(written.map((name) => name.slice(1, -1)).filter((name) => !engine.includes(name) && !settings.includes(name)))
    expect(names.slice(engine.length).sort()).toEqual([...own].sort())
  })

  it('say what to do', () => {
    for (const row of rows) expect([row[0], row.length, row[2] !== '']).toEqual([row[0], 3, true])
  })
})

describe('what a reader copies', () => {
  it('is a specification that is valid', () => {
    const specifications = blocks('json').map((text) => JSON.parse(text) as Record<string, unknown>).filter((json) => 'description' in json)
    expect(specifications).toHaveLength(1)
    for (const specification of specifications) expect(validateSpecification(specification).problems).toEqual([])
  })

  it('is TypeScript that compiles', async () => {
    const directory = await mkdtemp(resolve('.readme-'))
    try {
      const examples = [readme, ...guides].flatMap((text) => blocks('ts', text))
      expect(examples.length).toBeGreaterThan(2)
      for (const [index, text] of examples.entries()) await writeFile(join(directory, `example${index}.ts`), text)
      const paths = { '@elizaos/plugin-auton8n': [resolve('plugin/index.ts')] }
      await writeFile(
        join(directory, 'tsconfig.json'),
        JSON.stringify({ extends: '../tsconfig.json', compilerOptions: { paths }, include: ['*.ts'] }),
      )
      const compiled = run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', directory])
      await expect(compiled.catch((error: { stdout: string }) => error.stdout)).resolves.toMatchObject({ stdout: '' })
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })

  it('is a command or script that there is', () => {
    const commands = [...readFileSync('plugin/cli/main.ts', 'utf8').matchAll(/^ {2}(\w+): async \(\) =>/gm)].map(([, name]) => name)
    const shown = table('Command line').map(([cell]) => /auton8n (\w+)/.exec(cell ?? '')?.[1])
    expect(shown.sort()).toEqual(commands.sort())
    const scripts = [...readme.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name as string)
    for (const name of scripts) expect(manifest.scripts).toHaveProperty([name])
    for (const [, path] of [readme, ...guides].join('\n').matchAll(/`((?:__test__|bench|deploy|docs|examples|fuzz|harness|scripts|src)\/[\w./-]+|[A-Z]+\.md)`/g)) {
      expect([path, existsSync(path as string)]).toEqual([path, true])
    }
  })

  it('is a link that leads somewhere', () => {
    const pages = ['README.md', ...readdirSync('docs').filter((name) => name.endsWith('.md')).map((name) => join('docs', name))]
    const links = pages.flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(([, path = '', anchor]) => ({ page, path, anchor })),
    )
    expect(links.length).toBeGreaterThan(8)
    for (const { page, path, anchor } of links) {
      const target = path === '' ? page : join(dirname(page), path)
      expect([page, target, existsSync(target)]).toEqual([page, target, true])
      if (anchor !== undefined) expect(anchorsOf(readFileSync(target, 'utf8')), page).toContain(anchor)
    }
  })
})
