/** Where the engine's own log goes: the logger of an agent, `pino`, or anything that takes a record and a text. */
export interface EngineLogger {
  debug?(record: EngineLogRecord, message: string): void
  info(record: EngineLogRecord, message: string): void
  warn(record: EngineLogRecord, message: string): void
  error(record: EngineLogRecord, message: string): void
}

/** What a line is about, and what else it says. */
export interface EngineLogRecord {
  jobId?: string
  traceId?: string
  stage?: string
  /** Milliseconds since 1970: lines arrive a little later, in batches. */
  at: number
  [field: string]: unknown
}

/** A line as it crosses the border. */
export interface NativeLogLine {
  level: string
  message: string
  at: number
  jobId?: string
  traceId?: string
  stage?: string
  fields?: Record<string, unknown>
}

/** Hands one line on. A logger that throws stops nothing. */
export function writeLine(logger: EngineLogger, { level, message, fields, ...about }: NativeLogLine): void {
  const record: EngineLogRecord = { ...fields, ...about }
  try {
    if (level === 'error') logger.error(record, message)
    else if (level === 'warn') logger.warn(record, message)
    else if (level === 'info') logger.info(record, message)
    else logger.debug?.(record, message)
  } catch {
    // There is nowhere else to say it.
  }
}
