/** The terminal, as commands see it. */
import { once } from 'node:events'
import { printable } from './text.ts'

/** Exit statuses of every command. */
export const EXIT = {
  nothing: 0,
  findings: 1,
  /** The request was wrong. */
  wrong: 2,
  /** Could not look: unreachable, refused, missing. */
  couldNot: 3,
} as const

export interface Io {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** A person reads standard output. */
  readonly isTerminal: boolean
  /** Columns of the terminal; a pipe has no edge. */
  readonly width: number
  /** Aborts at SIGINT and SIGTERM. */
  readonly signal: AbortSignal
  /** Standard output, waiting while the other side is slow. */
  write(text: string): Promise<void>
  print(text: string): void
  /** How far long work has come, over what stood there; only a person at a terminal sees it. */
  progress(line: string): void
  /** One line on standard error. */
  complain(line: string): void
}

/** The process's own streams and signals. */
export function processIo(): Io {
  const controller = new AbortController()
  const stop = () => controller.abort()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  // The reader went away (`| head`): there is nobody to write for.
  process.stdout.on('error', () => process.exit(EXIT.nothing))
  return {
    environment: process.env,
    isTerminal: process.stdout.isTTY === true,
    width: process.stdout.columns ?? Number(process.env.COLUMNS || 1000),
    signal: controller.signal,
    async write(text) {
      if (!process.stdout.write(text)) await once(process.stdout, 'drain')
    },
    print(text) {
      process.stdout.write(text)
    },
    progress(line) {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${printable(line)}`)
    },
    complain(line) {
      process.stderr.write(`fettle: ${line}\n`)
    },
  }
}
