// A tree of published code: 250 MB of JavaScript and TypeScript in 22,000 files, and a part of it for slow tools.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'

// Code of every style: libraries, frameworks, clients, bundles, declarations.
const PACKAGES = (
  'typescript three rxjs date-fns lodash antd @mui/material @mui/icons-material next webpack @babel/core eslint ' +
  'firebase aws-sdk @aws-sdk/client-s3 @aws-sdk/client-dynamodb react-native core-js ethers viem web3 puppeteer-core ' +
  'playwright-core mongodb mongoose typeorm sequelize discord.js telegraf openai @anthropic-ai/sdk langchain ' +
  '@langchain/community graphql express fastify @nestjs/core @nestjs/common vue svelte @angular/core @angular/common ' +
  '@angular/compiler monaco-editor echarts d3 chart.js mathjs bitcoinjs-lib @solana/web3.js stripe twilio googleapis'
).split(' ')
const CODE = new Set(['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '.tsx', '.jsx'])
/** No package may fill the corpus. */
const PACKAGE_BYTES = 7e6
const PACKAGE_FILES = 300
/** Without stubs of one line a file has 11 kB on average, as in a tree of a project's own code. */
const SMALLEST = 1024
const LARGEST = 1e6

function packages(root) {
  const scoped = (name) => readdirSync(join(root, name)).map((inner) => `${name}/${inner}`)
  return readdirSync(root)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => (name.startsWith('@') ? scoped(name) : [name]))
    .toSorted()
}

function* codeFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && entry.name !== 'node_modules') yield* codeFiles(path)
    else if (entry.isFile() && CODE.has(extname(entry.name))) {
      const { size } = statSync(path)
      if (size >= SMALLEST && size <= LARGEST) yield { path, size }
    }
  }
}

/** Copies code into a tree of about `bytes`, each package's share at the same path. */
function tree(from, to, bytes, share) {
  const done = join(to, 'complete.json')
  if (!existsSync(done)) {
    let [total, count] = [0, 0]
    for (const name of packages(from)) {
      let [taken, files] = [0, 0]
      for (const { path, size } of codeFiles(join(from, name))) {
        if (files === PACKAGE_FILES || taken + size > share || total + size > bytes) continue
        const target = join(to, 'tree', path.slice(from.length + 1))
        mkdirSync(join(target, '..'), { recursive: true })
        copyFileSync(path, target)
        files += 1
        count += 1
        taken += size
        total += size
      }
    }
    writeFileSync(done, JSON.stringify({ bytes: total, files: count }))
  }
  return { path: join(to, 'tree'), ...JSON.parse(readFileSync(done, 'utf8')) }
}

/** The large tree and the small one; packages are fetched with npm where the cache has none. */
export function corpus(cache, bytes) {
  const npm = join(cache, 'npm')
  if (!existsSync(join(npm, '.complete'))) {
    mkdirSync(npm, { recursive: true })
    writeFileSync(join(npm, 'package.json'), '{ "private": true }\n')
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--legacy-peer-deps', '--loglevel=error']
    execFileSync('npm', ['install', ...flags, ...PACKAGES], { cwd: npm, stdio: ['ignore', 'ignore', 'inherit'] })
    writeFileSync(join(npm, '.complete'), '')
  }
  const modules = join(npm, 'node_modules')
  return {
    large: tree(modules, join(cache, `large-${bytes / 1e6}`), bytes, PACKAGE_BYTES),
    small: tree(modules, join(cache, `small-${bytes / 1e6}`), bytes / 25, PACKAGE_BYTES / 25),
  }
}
