import type { ActionResult, HandlerCallback, Memory } from '@elizaos/core'

/** The two ways in which an action ends. Both tell the user, and both resolve. */
export interface Answering {
  succeed: (text: string, result: unknown, parameters: Record<string, unknown>) => Promise<ActionResult>
  fail: (problem: string) => Promise<ActionResult>
}

/** Answers for one run of an action: the callback speaks, the result carries the same text. */
export function answering(actionName: string, message: Memory, callback: HandlerCallback | undefined): Answering {
  const say = async (text: string): Promise<void> => {
    const source = message.content.source
    try {
      await callback?.({ text, actions: [actionName], ...(source === undefined ? {} : { source }) })
    } catch {
      // A channel that cannot be reached must not undo what was done; the text is in the result too.
    }
  }
  return {
    succeed: async (text, result, parameters) => {
      await say(text)
      return { success: true, text, data: { actionName, result, parameters } }
    },
    fail: async (problem) => {
      await say(problem)
      return { success: false, text: problem, error: problem, data: { actionName } }
    },
  }
}

/** A value as people read it; long ones are cut. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return text.length > 4000 ? `${text.slice(0, 4000)}…` : text
}

/** Fills `{result}` and `{parameter}` into a phrase; what has no value becomes empty. */
export function phrase(template: string, result: unknown, values: Readonly<Record<string, unknown>>): string {
  const text = template.replace(/\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_whole, name: string) => {
    if (name === 'result') return show(result)
    return Object.hasOwn(values, name) ? show(values[name]) : ''
  })
  return text.trim() === '' ? 'Done.' : text
}
