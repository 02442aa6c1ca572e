import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PluginSpecification } from '../../plugin/api/specification.js'
import {
  example,
  openWorkplace,
  rejection,
  reportOf,
  scripted,
  templateFiles,
  type Files,
  type Workplace,
} from '../support/workplace.js'

const weather = example('weather')
let place: Workplace
let good: Files

beforeAll(async () => {
  place = await openWorkplace()
  good = await templateFiles(place.engine, weather)
})
afterAll(() => place.remove())

const fenced = (specification: unknown): string => `\`\`\`json\n${JSON.stringify(specification)}\n\`\`\``

describe('a description', () => {
  it('becomes a specification by the model, and a plugin', async () => {
    const { model, prompts } = scripted(fenced(weather), good)
    const creation = await place.engine.createPluginFromDescription('Tell me the weather of any city.', { model })
    const created = await creation.result()
    expect(created.name).toBe('plugin-weather')
    expect(created.report.verdict).toBe('passed')
    expect(prompts[0]).toContain('Tell me the weather of any city.')
    expect(prompts).toHaveLength(2)
  })

  it('shows the model every problem of an invalid specification, once', async () => {
    const invalid = { ...weather, name: 'Weather Plugin', surprise: 1 }
    const { model, prompts } = scripted(JSON.stringify(invalid), JSON.stringify(weather), good)
    const creation = await place.engine.createPluginFromDescription('Tell me the weather.', { model })
    expect((await creation.result()).report.verdict).toBe('passed')
    expect(prompts[1]).toContain('$.name')
    expect(prompts[1]).toContain('$.surprise')
    expect(prompts).toHaveLength(3)
  })

  it('ends with the problems when the second specification is no better', async () => {
    const { model, prompts } = scripted(JSON.stringify({ name: 'Weather' } satisfies Partial<PluginSpecification>))
    const creation = await place.engine.createPluginFromDescription('Tell me the weather.', { model })
    const error = await rejection(creation.result())
    expect(error.code).toBe('AUTON8N_SPECIFICATION_INVALID')
    expect(reportOf(error).verdict).toBe('failed')
    expect(prompts).toHaveLength(2)
  })
})
