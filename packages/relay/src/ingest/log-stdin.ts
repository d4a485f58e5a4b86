/** A log that another program writes to standard input (rule R44). */
import { createReadStream, fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { isatty } from 'node:tty'
import type { Piece } from './log-follow.ts'

const POLL_MS = 250

/** Opens standard input. Throws one line for the user when that is a terminal. */
export function openStdin(): Readable {
  if (isatty(0)) {
    throw new Error('--log -: nothing is piped in; for instance journalctl -f -u coturn | fettle relay serve --log -')
  }
  // A read of a file that waits for its writer would hold up one of the few threads that read files.
  const found = fstatSync(0)
  const isPipe = found.isFIFO() || found.isSocket()
  return isPipe ? new Socket({ fd: 0, readable: true, writable: false }) : createReadStream('', { fd: 0 })
}

/** What comes, until it ends or the signal aborts. Who writes waits while nobody asks for the next piece. */
export async function* piecesOf(input: Readable, now: () => number, signal: AbortSignal): AsyncGenerator<Piece> {
  const chunks: AsyncIterator<Buffer> = input[Symbol.asyncIterator]()
  signal.addEventListener('abort', () => input.destroy(), { once: true })
  const ended = { done: true, value: undefined } as const
  const ask = () => chunks.next().catch(() => ended)
  for (let asked = ask(); ; ) {
    const pause = new AbortController()
    const quiet = wait(POLL_MS, undefined, { signal: pause.signal }).catch(() => undefined)
    const chunk = await Promise.race([asked, quiet])
    pause.abort()
    if (signal.aborted) return
    if (chunk === undefined) yield { kind: 'still' }
    else if (chunk.done) {
      yield { kind: 'end' }
      return
    } else {
      yield { kind: 'bytes', bytes: chunk.value, seenAt: now() }
      asked = ask()
    }
  }
}
