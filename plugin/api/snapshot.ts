import type { CreatedPlugin, CreationFailure, CreationReport, JobSnapshot, Stage } from './creation.js'
import { STAGES } from './creation.js'
import type { NativeJob } from './nativeEngine.js'
import type { JobStatus } from './queue.js'

/** What a job can be. */
export const JOB_STATUSES: readonly JobStatus[] = [
  'pending',
  'scheduled',
  'running',
  'retrying',
  'completed',
  'failed',
  'cancelled',
]

/** A job as users see it. */
export function snapshotOf(job: NativeJob): JobSnapshot {
  const result = object(job.result)
  const options = object(job.options)
  const report = object(result?.report) as CreationReport | undefined
  const stage = STAGES.find((known) => known === job.stage)
  const userId = string(options?.fairKey) ?? string(options?.userId)
  const metadata = object(options?.metadata)
  const status = job.status as JobStatus
  return {
    id: job.id,
    name: nameOf(job, result),
    status,
    iteration: job.iteration ?? 0,
    progress: job.progress ?? 0,
    createdAt: job.createdAt,
    log: job.log ?? [],
    ...(stage ? { stage } : {}),
    ...(typeof job.startedAt === 'number' ? { startedAt: job.startedAt } : {}),
    ...(typeof job.finishedAt === 'number' ? { finishedAt: job.finishedAt } : {}),
    ...(job.error ? { error: failure(job.error) } : {}),
    ...(userId === undefined ? {} : { userId }),
    ...(metadata ? { metadata } : {}),
    ...(status === 'completed' && result ? { result: result as unknown as CreatedPlugin } : {}),
    ...(report ? { report } : {}),
  }
}

/** Whether nothing more happens to a job by itself. */
export function isFinal(status: JobStatus): status is 'completed' | 'failed' | 'cancelled' {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}

/** A stage by its name. */
export function stageOf(name: unknown): Stage | undefined {
  return STAGES.find((known) => known === name)
}

function nameOf(job: NativeJob, result: Record<string, unknown> | undefined): string {
  const specification = object(object(job.data)?.specification)
  return string(result?.name) ?? string(specification?.name) ?? job.name
}

function failure(error: { code: string; message: string }): CreationFailure {
  return { code: error.code, message: error.message }
}

function object(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
