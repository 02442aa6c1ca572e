// What was checked and how it went.
import { SubjectLost } from './channel.mjs'

/**
 * @typedef {'passed'|'failed'|'inconclusive'|'skipped'} Status
 * @typedef {{ name: string, status: Status, detail?: string, durationMs: number }} Check
 * @typedef {{ status: Status, detail?: string }} Verdict
 */

/** @type {Verdict} */
export const passed = { status: 'passed' }

/** Failed where there is a problem. @param {string|undefined} problem @returns {Verdict} */
export function verdict(problem) {
  return problem === undefined ? passed : { status: 'failed', detail: problem }
}

export class Report {
  /** @type {Check[]} */
  checks = []

  /** The check that is running. */
  current = 'the start'

  /**
   * Runs a check. A subject that is lost in it fails it; any other exception is the harness's own and decides nothing.
   * Both go on to the caller.
   * @param {string} name @param {() => Promise<Verdict> | Verdict} judge @returns {Promise<Status>}
   */
  async check(name, judge) {
    const start = performance.now()
    this.current = name
    try {
      const { status, detail } = await judge()
      this.add(name, status, detail, performance.now() - start)
      return status
    } catch (error) {
      const status = error instanceof SubjectLost ? 'failed' : 'inconclusive'
      this.add(name, status, error instanceof Error ? error.message : String(error), performance.now() - start)
      throw error
    }
  }

  /** @param {string} name @param {Status} status @param {string} [detail] @param {number} [durationMs] */
  add(name, status, detail, durationMs = 0) {
    const rounded = Math.round(durationMs * 10) / 10
    this.checks.push({ name, status, ...(detail === undefined ? {} : { detail }), durationMs: rounded })
  }

  get counts() {
    const counts = { passed: 0, failed: 0, inconclusive: 0, skipped: 0 }
    for (const { status } of this.checks) counts[status] += 1
    return counts
  }

  /** 0: every check passed; 1: one failed; 3: it could not be judged. */
  get exitCode() {
    const { passed: good, failed, inconclusive } = this.counts
    if (failed > 0) return 1
    return inconclusive > 0 || good === 0 ? 3 : 0
  }
}
