import type { JobStatus } from './queue.js'

/** A step of the pipeline, in this order. */
export type Stage =
  | 'validate'
  | 'scan'
  | 'generate'
  | 'inspect'
  | 'install'
  | 'type-check'
  | 'lint'
  | 'build'
  | 'test'
  | 'boot'
  | 'package'

/** Every stage, in the order in which they run. */
export const STAGES: readonly Stage[] = [
  'validate', 'scan', 'generate', 'inspect', 'install', 'type-check', 'lint', 'build', 'test', 'boot', 'package',
]

/** Why a job failed. */
export interface CreationFailure {
  code: string
  message: string
}

/** A job as it is now. Times are milliseconds since 1970. */
export interface JobSnapshot {
  id: string
  /** The plugin's name where it is known, else the name of the job. */
  name: string
  status: JobStatus
  stage?: Stage
  /** Rounds of generate and check so far, from 1; 0 before the first. */
  iteration: number
  /** 0 to 100. */
  progress: number
  createdAt: number
  startedAt?: number
  finishedAt?: number
  error?: CreationFailure
  /** The last lines of the job's log. */
  log: string[]
  /** Whom the creation counts for. */
  userId?: string
  metadata?: Record<string, unknown>
  /** Present when the job is completed. */
  result?: CreatedPlugin
  /** Present when the job has been checked, whether it passed or not. */
  report?: CreationReport
}

interface EventBase {
  jobId: string
  /** Milliseconds since 1970. */
  at: number
}

/** Something that happened to a creation. Logs may be thinned out under load; `status`, `stage` and `done` are not. */
export type CreationEvent =
  | (EventBase & { type: 'status'; status: JobStatus; snapshot: JobSnapshot })
  | (EventBase & { type: 'stage'; stage: Stage; iteration: number })
  | (EventBase & { type: 'progress'; progress: number; stage?: Stage; iteration: number; message?: string })
  | (EventBase & { type: 'log'; line: string })
  | (EventBase & {
      type: 'done'
      status: 'completed' | 'failed' | 'cancelled'
      result?: CreatedPlugin
      error?: CreationFailure
      report?: CreationReport
    })

/** A plugin that passed its checks. */
export interface CreatedPlugin {
  name: string
  version: string
  /** Holds the sources, tests, `dist`, `package.json` and README. */
  directory: string
  /** What `npm install` takes. */
  tarball: string
  report: CreationReport
}

/** One thing that was checked. */
export interface CreationCheck {
  /** A stage, or something within one. */
  name: Stage | (string & {})
  status: 'passed' | 'failed' | 'inconclusive' | 'skipped'
  where: 'host' | 'sandbox'
  command?: string
  exitCode?: number
  counts?: Record<string, number>
  durationMs: number
  detail?: string
  /** What is to be mended, where the check names places. */
  diagnostics?: Record<string, unknown>[]
}

/** What was checked and how it went; also written beside the plugin as `report.json`. */
export interface CreationReport {
  verdict: 'passed' | 'failed' | 'inconclusive'
  isolation: 'full' | `reduced: ${string}` | 'refused'
  checks: CreationCheck[]
  iterations: number
  tokens?: { input: number; output: number }
  files: { path: string; sha256: string; bytes: number }[]
  specificationSha256: string
  traceId?: string
  /** What made the sandboxes. */
  engine: string
  startedAt: number
  finishedAt: number
}
