import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngine } from '../../plugin/index.js'

/**
 * Whether sandboxes can be made here. Where `AUTON8N_REQUIRE_ALL` is set the answer is yes, so that a test fails
 * rather than being left out.
 */
export async function sandboxIsHere(): Promise<boolean> {
  if (process.env.AUTON8N_REQUIRE_ALL === '1') return true
  const dataDir = await mkdtemp(join(tmpdir(), 'auton8n-needs-'))
  try {
    const engine = await openEngine({ dataDir })
    const { reasons } = await engine.health()
    await engine.close()
    return !reasons.some(({ code }) => /SANDBOX|TOOLCHAIN/.test(code))
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}
