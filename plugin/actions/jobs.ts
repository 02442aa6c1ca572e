import type { IAgentRuntime, Memory } from '@elizaos/core'
import { askerOfJob } from '../announcement.js'
import type { JobSnapshot } from '../api/creation.js'
import { Auton8nError } from '../errors.js'
import { isOwnerOrAdmin } from '../roles.js'
import type { ActionCall } from './define.js'

/** The jobs that whoever speaks may see: those asked for by the same user, or in the same room. Newest first. */
export function visible(jobs: JobSnapshot[], runtime: IAgentRuntime, message: Memory): JobSnapshot[] {
  return jobs
    .filter((job) => {
      const asker = askerOfJob(job)
      if (asker?.agentId !== runtime.agentId) return false
      return asker.entityId === message.entityId || asker.roomId === message.roomId
    })
    .sort((one, other) => other.createdAt - one.createdAt)
}

/**
 * The job that a message means: by its id, by the plugin's name, else the newest that fits. `own` leaves out those of
 * others in the same room. Owners and admins reach every job.
 */
export async function jobMeant(
  call: ActionCall,
  fits: (job: JobSnapshot) => boolean,
  own = false,
): Promise<JobSnapshot> {
  const { runtime, message, service, text } = call
  const all = await service.getAllJobs()
  const admin = await isOwnerOrAdmin(runtime, message)
  const seen = visible(all, runtime, message).filter((job) => !own || askerOfJob(job)?.entityId === message.entityId)
  const jobs = admin ? [...all].sort((one, other) => other.createdAt - one.createdAt) : seen
  const wanted = [call.parameter('jobId'), call.parameter('name')].filter((value) => typeof value === 'string')
  const words = wanted.length > 0 ? wanted.join(' ') : text
  const named = jobs.find(({ id }) => words.includes(id)) ?? jobs.find(({ name }) => mentions(words, name))
  if (named) return named
  const newest = wanted.length > 0 ? undefined : (seen.find(fits) ?? jobs.find(fits))
  if (newest) return newest
  throw new Auton8nError(
    'AUTON8N_JOB_NOT_FOUND',
    jobs.length === 0
      ? 'No plugin creation was asked for here yet.'
      : `I know no such creation of yours. There are: ${jobs.slice(0, 5).map(titleOf).join('; ')}.`,
  )
}

/** A job in a few words. */
export function titleOf(job: JobSnapshot): string {
  return `${job.name} (${job.id}, ${job.status})`
}

/** What of a job goes into a result: small, and never generated source. */
export function dataOf(job: JobSnapshot): Record<string, unknown> {
  const { id, name, status, stage, iteration, progress } = job
  return { jobId: id, name, status, iteration, progress, ...(stage ? { stage } : {}) }
}

/** How a job stands, in words. */
export function statusText(job: JobSnapshot): string {
  const stage = job.stage ? `, stage ${job.stage}` : ''
  const round = job.iteration > 0 ? `, iteration ${job.iteration}` : ''
  const why = job.error ? ` Last error: ${job.error.message} (${job.error.code}).` : ''
  const progress = `${Math.round(job.progress)} %${stage}${round}`
  return `The creation of ${job.name} is ${job.status}: ${progress}.${why} Job ${job.id}.`
}

function mentions(text: string, name: string): boolean {
  const short = name.replace(/^@[^/]+\//, '')
  return text.includes(name) || (short.length >= 6 && text.toLowerCase().includes(short.toLowerCase()))
}
