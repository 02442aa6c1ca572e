import { execFile } from 'node:child_process'
import { mkdtemp, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A folder with the package compiled as users get it: how a process ends is only true of a plain one. */
export async function compiled(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'auton8n-compiled-'))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await promisify(execFile)(
    process.execPath,
    [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')],
    { cwd: root },
  )
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await symlink(join(root, 'index.cjs'), join(folder, 'index.cjs'))
  return folder
}
