import type { IAgentRuntime, Memory, UUID } from '@elizaos/core'
import { askerOfJob } from '../announcement.js'
import type { JobSnapshot } from '../api/creation.js'
import { Auton8nError } from '../errors.js'
import { worldOwned } from '../roles.js'
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

/** As `visible`; owners and admins see the jobs of their own world too. Newest first. */
export async function reachable(jobs: JobSnapshot[], runtime: IAgentRuntime, message: Memory): Promise<JobSnapshot[]> {
  const seen = visible(jobs, runtime, message)
  const world = await worldOwned(runtime, message)
  if (world === undefined) return seen
  const worlds = new Map<string, string | undefined>()
  for (const asker of jobs.map(askerOfJob)) {
    if (asker?.agentId !== runtime.agentId || worlds.has(asker.roomId)) continue
    worlds.set(asker.roomId, (await runtime.getRoom(asker.roomId as UUID))?.worldId)
  }
  return jobs
    .filter((job) => seen.includes(job) || worlds.get(askerOfJob(job)?.roomId ?? '') === world)
    .sort((one, other) => other.createdAt - one.createdAt)
}

/**
 * The job that a message means: by its id, by the plugin's name, else the newest that fits. `own` leaves out those of
 * others in the same room. Owners and admins reach every job of their world.
 */
export async function jobMeant(
  call: ActionCall,
  fits: (job: JobSnapshot) => boolean,
  own = false,
): Promise<JobSnapshot> {
  const { runtime, message, service } = call
  const all = await service.getAllJobs()
  const owner = (await worldOwned(runtime, message)) !== undefined
  const seen = visible(all, runtime, message).filter((job) => !own || isOwn(job, message))
  const jobs = owner ? await reachable(all, runtime, message) : seen
  const { words, given } = wordsOf(call)
  const named = jobs.find(({ id }) => words.includes(id)) ?? jobs.find(({ name }) => mentions(words, name))
  if (named) return named
  const newest = given ? undefined : (seen.find(fits) ?? jobs.find(fits))
  if (newest) return newest
  throw unknownJob(jobs)
}

/**
 * The job whose plugin is to be loaded: the one of that id, else the only finished one that whoever speaks asked for.
 * It gets the agent's rights, so nothing is guessed and nothing of others is taken unnamed.
 */
export async function jobToLoad(call: ActionCall): Promise<JobSnapshot> {
  const { runtime, message, service } = call
  const jobs = await reachable(await service.getAllJobs(), runtime, message)
  const { words, given } = wordsOf(call)
  const byId = jobs.find(({ id }) => words.includes(id))
  if (byId) return byId
  const finished = jobs.filter((job) => job.status === 'completed' && isOwn(job, message))
  const named = finished.filter(({ name }) => mentions(words, name))
  const meant = named.length > 0 || given ? named : finished
  if (meant.length > 1) {
    const list = meant.slice(0, 5).map(titleOf).join('; ')
    throw new Auton8nError('AUTON8N_LOAD_REFUSED', `Several of yours fit, so name the id of one: ${list}.`)
  }
  if (meant[0]) return meant[0]
  throw unknownJob(jobs)
}

/** Whose wish a job was, in words. */
export function whoseText(job: JobSnapshot, message: Memory): string {
  const asker = askerOfJob(job)
  if (!asker) return 'not asked for in a chat'
  return asker.entityId === message.entityId ? 'asked for by you' : `asked for by user ${asker.entityId}`
}

function isOwn(job: JobSnapshot, message: Memory): boolean {
  return askerOfJob(job)?.entityId === message.entityId
}

/** Where a parameter was given, it alone says what is meant. */
function wordsOf(call: ActionCall): { words: string; given: boolean } {
  const wanted = [call.parameter('jobId'), call.parameter('name')].filter((value) => typeof value === 'string')
  return { words: wanted.length > 0 ? wanted.join(' ') : call.text, given: wanted.length > 0 }
}

function unknownJob(jobs: JobSnapshot[]): Auton8nError {
  return new Auton8nError(
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
