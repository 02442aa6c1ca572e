import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

/** A project outside of the repository that has the built package among its modules. */
export interface BuiltPackage {
  directory: string
  /** The entry of the built package. */
  entry: string
  /** Runs a module script in the project; answers what it printed. */
  run(script: string): Promise<string>
  remove(): Promise<void>
}

const run = promisify(execFile)

/** What stands beside `dist` in the package. */
const SHIPPED = /^(index\.cjs|.*\.node|keeper\..*|harness|templates|toolchain\.lock\.json)$/

/** Builds the package into an empty project, with core beside it where it is asked for, and with the addon. */
export async function buildPackage(options: { core?: boolean; addon?: boolean } = {}): Promise<BuiltPackage> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'auton8n-package-')))
  const modules = join(directory, 'node_modules')
  const own = join(modules, '@elizaos', 'plugin-auton8n')
  await mkdir(own, { recursive: true })
  await cp('package.json', join(own, 'package.json'))
  const compiler = 'node_modules/typescript/bin/tsc'
  await run(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', join(own, 'dist')])
  if (options.addon) {
    for (const name of await readdir('.')) {
      if (SHIPPED.test(name)) await symlink(resolve(name), join(own, name))
    }
  }
  if (options.core) await addCore(modules)
  return {
    directory,
    entry: join(own, 'dist', 'index.js'),
    run: async (script) => {
      const args = ['--input-type=module', '-e', script]
      return (await run(process.execPath, args, { cwd: directory, timeout: 60_000 })).stdout
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}

/** Core looks for plugins from where it really lies, so it is copied, and what it needs is linked. */
async function addCore(modules: string): Promise<void> {
  const source = await realpath('node_modules')
  await cp(join(source, '@elizaos', 'core'), join(modules, '@elizaos', 'core'), { recursive: true })
  for (const name of await readdir(source)) {
    if (name !== '@elizaos' && !name.startsWith('.')) await symlink(join(source, name), join(modules, name))
  }
}
