import { STAGES, type CreationEvent, type Stage } from '../api/creation.js'
import type { PluginCreation } from '../api/pluginCreation.js'

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const FRAME_TIME = 100

interface StageTime {
  started: number
  ended?: number
}

/** What is shown of a creation: the stages of the present iteration, with their times. */
export class ProgressView {
  #stage: Stage | undefined
  #iteration = 0
  #line = ''
  readonly #begun: number
  readonly #times = new Map<Stage, StageTime>()

  constructor(now: number) {
    this.#begun = now
  }

  /** Takes an event; answers the line that a pipe gets for it, if any. */
  take(event: CreationEvent, now: number): string | undefined {
    const time = seconds(now - this.#begun)
    switch (event.type) {
      case 'status':
        // The last of them stands before `done`.
        return `${time} ${event.status}`
      case 'stage': {
        this.#leave(now)
        if (event.iteration !== this.#iteration) {
          for (const stage of STAGES.slice(STAGES.indexOf(event.stage))) this.#times.delete(stage)
        }
        this.#stage = event.stage
        this.#iteration = event.iteration
        this.#times.set(event.stage, { started: now })
        return `${time} ${event.stage}${event.iteration > 0 ? ` (iteration ${event.iteration})` : ''}`
      }
      case 'log':
        this.#line = event.line
        return `${time}   ${event.line}`
      case 'progress':
        if (event.message) this.#line = event.message
        return undefined
      case 'done':
        this.#leave(now)
        this.#stage = undefined
        return undefined
    }
  }

  /** The block that a terminal shows. */
  block(now: number, columns: number): string[] {
    const frame = FRAMES[Math.floor(now / FRAME_TIME) % FRAMES.length] ?? ''
    const round = this.#iteration > 0 ? `, iteration ${this.#iteration}` : ''
    const lines = STAGES.flatMap((stage) => {
      const time = this.#times.get(stage)
      if (!time) return [`  · ${stage}`]
      const mark = stage === this.#stage ? frame : '✓'
      return [`  ${mark} ${stage.padEnd(12)}${seconds((time.ended ?? now) - time.started)}`]
    })
    return [`${seconds(now - this.#begun)}${round}`, ...lines, `  ${this.#line}`].map((line) => cut(line, columns))
  }

  #leave(now: number): void {
    const time = this.#stage ? this.#times.get(this.#stage) : undefined
    if (time && time.ended === undefined) time.ended = now
  }
}

/** Shows a creation until it ends: one block that is redrawn on a terminal, a line for each step in a pipe. */
export async function showProgress(creation: PluginCreation): Promise<void> {
  const view = new ProgressView(Date.now())
  const out = process.stdout
  let drawn = 0
  const draw = (): void => {
    const lines = view.block(Date.now(), out.columns || 80)
    out.write(`${drawn > 0 ? `\x1b[${drawn}A\x1b[J` : ''}${lines.join('\n')}\n`)
    drawn = lines.length
  }
  const timer = out.isTTY ? setInterval(draw, FRAME_TIME) : undefined
  try {
    out.write(`Job ${creation.id}\n`)
    for await (const event of creation.events()) {
      const line = view.take(event, Date.now())
      if (out.isTTY) draw()
      else if (line !== undefined) out.write(`${line}\n`)
    }
  } finally {
    clearInterval(timer)
  }
}

/** A duration as people read it. */
export function seconds(milliseconds: number): string {
  const value = Math.max(0, milliseconds) / 1000
  if (value < 60) return `${value.toFixed(1).padStart(5)} s`
  return `${Math.floor(value / 60)} min ${String(Math.floor(value % 60)).padStart(2, '0')} s`
}

function cut(line: string, columns: number): string {
  // Control characters of a log line would break the block.
  const plain = line.replace(/\p{Cc}/gu, ' ')
  return plain.length > columns - 1 ? `${plain.slice(0, columns - 2)}…` : plain
}
