import { readFile } from 'node:fs/promises'
import type { CreatePluginOptions } from '../api/options.js'
import type { PluginCreation } from '../api/pluginCreation.js'
import type { PluginSpecification } from '../api/specification.js'
import { Auton8nError } from '../errors.js'
import { CommandError, DONE, FOUND, parse, print, printJson, wholeNumber, withEngine, type Command } from './command.js'
import { showProgress } from './progress.js'
import { reportLines } from './report.js'

const USAGE = `auton8n create SPEC.json|"description" [options]

  --out DIR                  where the plugin is put (default: in the data directory)
  --generator model|template model needs ANTHROPIC_API_KEY (default: model where there is a key, else template)
  --max-iterations N         rounds of generating and checking, 1 to 50 (default 5)
  --timeout MS               the longest an attempt may take, 1 to 86400000
  --json                     print the result for machines

A description in words needs a model, so it needs ANTHROPIC_API_KEY; CLAUDE_MODEL and ANTHROPIC_BASE_URL are honoured.`

const OPTIONS = {
  out: { type: 'string' },
  generator: { type: 'string' },
  'max-iterations': { type: 'string' },
  timeout: { type: 'string' },
} as const

/** Makes a plugin and shows how. */
export const create: Command = {
  usage: USAGE,
  run: async (args) => {
    const { values, positionals } = parse(args, OPTIONS, USAGE, [1, 1])
    const source = positionals[0] as string
    const specification = /\.json$/i.test(source) ? await readSpecification(source) : undefined
    if (specification === undefined && source.trim().split(/\s+/).length < 2) {
      throw new CommandError(`'${source}' is neither a .json file nor a description.\n\n${USAGE}`)
    }
    const options: CreatePluginOptions = {
      ...keyOf(values.generator),
      ...(values.generator === undefined ? {} : { generator: generatorOf(values.generator) }),
      ...(values.out === undefined ? {} : { outDir: values.out }),
      ...(values['max-iterations'] === undefined ? {} : { maxIterations: wholeNumber('--max-iterations', values['max-iterations'], 50, USAGE) }),
      ...(values.timeout === undefined ? {} : { timeout: wholeNumber('--timeout', values.timeout, 24 * 3600_000, USAGE) }),
    }
    return await withEngine({}, async (engine, signal) => {
      const creation = specification
        ? await engine.createPlugin(specification, options)
        : await engine.createPluginFromDescription(source, options)
      return await follow(creation, signal, values.json)
    })
  },
}

async function follow(creation: PluginCreation, signal: AbortSignal, json: boolean): Promise<number> {
  const cancel = (): void => void creation.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  if (!json) await showProgress(creation)
  const job = await creation.finished()
  if (json) printJson(job.result ?? { id: job.id, status: job.status, error: job.error, report: job.report })
  else {
    if (job.report) print('', ...reportLines(job.report))
    if (job.result) {
      const { name, version, directory, tarball } = job.result
      print('', `${name} ${version} lies in ${directory}`, `Install it with: npm install ${tarball}`)
    } else print('', job.status === 'cancelled' ? 'It was cancelled.' : failureText(job.error))
  }
  return job.status === 'completed' ? DONE : FOUND
}

function failureText(error: { code: string; message: string } | undefined): string {
  return error ? `It failed: ${error.message} (${error.code})` : 'It failed.'
}

async function readSpecification(path: string): Promise<PluginSpecification> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Auton8nError('AUTON8N_FILE_UNREADABLE', `The specification cannot be read: ${reason}.`, { cause })
  }
  try {
    return JSON.parse(text) as PluginSpecification
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Auton8nError('AUTON8N_SPECIFICATION_INVALID', `${path} is not JSON: ${reason}.`, { cause })
  }
}

function keyOf(generator: string | undefined): { apiKey?: string } {
  const apiKey = process.env.ANTHROPIC_API_KEY
  return apiKey && generator !== 'template' ? { apiKey } : {}
}

function generatorOf(value: string): 'model' | 'template' {
  if (value === 'model' || value === 'template') return value
  throw new CommandError(`--generator is 'model' or 'template', not '${value}'.\n\n${USAGE}`)
}
