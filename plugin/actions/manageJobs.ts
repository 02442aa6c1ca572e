import { endText } from '../announcement.js'
import { isFinal } from '../api/snapshot.js'
import { Auton8nError } from '../errors.js'
import { defineAction } from './define.js'
import { dataOf, jobMeant, reachable, statusText } from './jobs.js'

const JOB_ID = { type: 'string', description: 'The id of the job; the newest where there is none' } as const
const LISTED = 20

/** Says how a creation stands. */
export const checkStatusAction = defineAction({
  name: 'CHECK_PLUGIN_CREATION_STATUS',
  similes: ['PLUGIN_STATUS', 'PLUGIN_CREATION_PROGRESS', 'HOW_IS_MY_PLUGIN'],
  description: 'Says how the creation of a plugin stands: its stage, progress and how it ended.',
  parameters: { jobId: JOB_ID },
  examples: [['How is my plugin coming along?', 'The creation of @acme/plugin-weather is running: 45 %, stage lint.']],
  run: async (call) => {
    const job = await jobMeant(call, () => true)
    return { text: isFinal(job.status) ? endText(job) : statusText(job), data: dataOf(job) }
  },
})

/** Cancels a creation. */
export const cancelAction = defineAction({
  name: 'CANCEL_PLUGIN_CREATION',
  similes: ['STOP_PLUGIN_CREATION', 'ABORT_PLUGIN_CREATION'],
  description: 'Cancels the creation of a plugin that is waiting or running.',
  parameters: { jobId: JOB_ID },
  examples: [['Stop creating that plugin', 'I cancelled the creation of @acme/plugin-weather.']],
  run: async (call) => {
    const job = await jobMeant(call, ({ status }) => !isFinal(status), true)
    if (!(await call.service.cancelJob(job.id))) {
      throw new Auton8nError('AUTON8N_JOB_STATE', `Nothing to cancel: ${endText(job)}`)
    }
    const text = `I cancelled the creation of ${job.name}. Job ${job.id}.`
    return { text, data: { ...dataOf(job), cancelled: true } }
  },
})

/** Lists what was created. */
export const listAction = defineAction({
  name: 'LIST_CREATED_PLUGINS',
  similes: ['SHOW_CREATED_PLUGINS', 'WHICH_PLUGINS_DID_YOU_CREATE'],
  description: 'Lists the plugins that were created and the creations that are under way.',
  parameters: {},
  examples: [['Which plugins have you created?', 'There is 1: @acme/plugin-weather 1.0.0, completed.']],
  run: async ({ runtime, message, service }) => {
    const jobs = await reachable(await service.getAllJobs(), runtime, message)
    const lines = jobs.slice(0, LISTED).map((job) => `- ${isFinal(job.status) ? endText(job) : statusText(job)}`)
    const list = `There are ${jobs.length}:\n${lines.join('\n')}`
    const text = jobs.length === 0 ? 'No plugins were created here yet.' : list
    return { text, data: { count: jobs.length, jobs: jobs.slice(0, LISTED).map(dataOf) } }
  },
})
