import { nativeCall } from '../errors.js'
import type { JobQueue } from './queue.js'

/** A small value that the processes on a queue's store share. */
export interface SharedState {
  key: string
  /** Grows with each change, from 1. */
  version: number
  value: unknown
  /** Milliseconds since it was written, by the store's time. */
  age: number
}

/** The values under keys that begin with `prefix`. */
export async function statesOf(queue: JobQueue, prefix: string): Promise<SharedState[]> {
  return JSON.parse(await nativeCall(() => queue.native.states(prefix))) as SharedState[]
}

/** Puts a value in place of that version of it, 0 where there is none; false where another version is there. */
export function setState(queue: JobQueue, key: string, version: number, value: unknown): Promise<boolean> {
  return nativeCall(() => queue.native.setState(key, version, JSON.stringify(value)))
}
