import { Auton8nError, nativeCallSync } from '../errors.js'
import { native } from '../native.js'
import type { SpanData } from './tracer-span.js'

/** Takes spans that have ended. One batch at a time: the next comes when the promise is settled. */
export interface SpanExporter {
  export(spans: readonly SpanData[]): Promise<void> | void
  shutdown?(): Promise<void> | void
}

export interface OtlpExporterOptions {
  /** `http(s)://host:port`, to which `/v1/traces` is added, or a whole address. */
  url: string
  headers?: Record<string, string>
  /** Default `http/protobuf`. `json` and `protobuf` mean the same. */
  protocol?: 'http/protobuf' | 'http/json' | 'protobuf' | 'json'
  /** Default `none`. */
  compression?: 'none' | 'gzip'
  /** Milliseconds of one request. Default 10 000. */
  timeout?: number
}

/**
 * Sends spans to an OTLP receiver, from a thread of the engine: 429, 502, 503, 504 and a lost connection
 * are tried again up to five times, `Retry-After` is honoured.
 */
export class OtlpExporter {
  readonly options: Readonly<OtlpExporterOptions>

  /** Throws `AUTON8N_OPTION_INVALID`. */
  constructor(options: OtlpExporterOptions) {
    if (options === null || typeof options !== 'object') {
      throw new Auton8nError('AUTON8N_OPTION_INVALID', 'OtlpExporter(options): options must be an object with a url')
    }
    const given = Object.entries(options).filter(([, value]) => value !== undefined)
    this.options = Object.freeze(Object.fromEntries(given) as unknown as OtlpExporterOptions)
    nativeCallSync(() => native().checkOtlpOptions({ ...this.options }))
  }
}

/** Writes a line for each span. */
export class ConsoleExporter implements SpanExporter {
  readonly #write: (line: string) => void

  /** Lines go to `write`; default standard output. */
  constructor(write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`)) {
    this.#write = write
  }

  async export(spans: readonly SpanData[]): Promise<void> {
    for (const { traceId, spanId, parentSpanId, name, kind, duration, status, attributes, events } of spans) {
      this.#write(
        JSON.stringify({ traceId, spanId, parentSpanId, name, kind, durationMs: duration, status, attributes, events }),
      )
    }
  }

  async shutdown(): Promise<void> {}
}
