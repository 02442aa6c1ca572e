import { randomUUID } from 'node:crypto'
import type { UUID } from '@elizaos/core'

/** A new id, as core's type. */
export function v4(): UUID {
  return randomUUID() as UUID
}
