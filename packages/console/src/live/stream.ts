/** Follows `/v1/live` for as long as the page is open, through every loss of the connection. */
import type { LiveChange, LiveSnapshot } from '@fettle/relay/api'
import { bearer } from '../token.ts'
import { createReader, type ServerEvent } from './sse.ts'

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** `since`: when the last was heard, milliseconds since the epoch. */
  | { readonly kind: 'lost'; readonly since: number; readonly why: string }
  /** The meter does not know the token. It is not asked again. */
  | { readonly kind: 'refused' }

export interface Following {
  readonly url: string
  readonly token: string
  snapshot(snapshot: LiveSnapshot): void
  change(change: LiveChange): void
  connection(connection: Connection): void
}

export interface Follower {
  /** Does not wait for the next try any longer. */
  tryNow(): void
  stop(): void
}

/** Waits between tries, milliseconds; the last one stays. The first is for a connection that was alive. */
const WAITS = [500, 1000, 2000, 4000, 8000, 15_000]
/** The meter speaks at least every 15 s. A computer that slept finds its connections dead without being told. */
const SILENCE_MS = 45_000

export function follow(following: Following): Follower {
  const stop = new AbortController()
  let wake = () => {}
  let tries = 0
  let lastId = ''
  let heardAt = Date.now()

  const receive = ({ event, data, id }: ServerEvent) => {
    lastId = id
    if (event === 'snapshot') following.snapshot(JSON.parse(data))
    if (event === 'change') following.change(JSON.parse(data))
  }

  const live = () => {
    if (tries === 0) return
    tries = 0
    following.connection({ kind: 'live' })
  }

  const readAll = async (body: ReadableStream<Uint8Array<ArrayBuffer>>, heard: () => void) => {
    const events = createReader()
    const text = body.pipeThrough(new TextDecoderStream()).getReader()
    for (let piece = await text.read(); !piece.done; piece = await text.read()) {
      heard()
      events(piece.value).forEach(receive)
      live()
    }
  }

  /** Reads until the stream ends, and says why it did; undefined when the token was refused. */
  const read = async (): Promise<string | undefined> => {
    const silence = watchSilence()
    try {
      const response = await request(following, lastId, AbortSignal.any([stop.signal, silence.signal]))
      if (response.status === 401) return undefined
      if (!response.ok || response.body === null) return `the meter answered with status ${response.status}`
      await readAll(response.body, () => {
        heardAt = Date.now()
        silence.broken()
      })
      return 'the meter ended the connection'
    } catch (error) {
      if (silence.signal.aborted) return 'nothing was heard any more'
      // What a browser says of a network error is its own and of no use.
      return error instanceof TypeError ? 'the meter could not be reached' : (error as Error).message
    } finally {
      silence.end()
    }
  }

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const run = async () => {
    following.connection({ kind: 'connecting' })
    while (!stop.signal.aborted) {
      tries++
      const why = await read()
      if (stop.signal.aborted) return
      if (why === undefined) return following.connection({ kind: 'refused' })
      following.connection({ kind: 'lost', since: heardAt, why })
      await pause(WAITS[Math.min(tries, WAITS.length - 1)]!)
    }
  }
  run().catch((error: Error) => following.connection({ kind: 'lost', since: heardAt, why: error.message }))

  return {
    tryNow: () => wake(),
    stop() {
      stop.abort()
      wake()
    },
  }
}

/** Its signal aborts when nothing has broken the silence for too long. */
function watchSilence() {
  const silence = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const broken = () => {
    clearTimeout(timer)
    timer = setTimeout(() => silence.abort(), SILENCE_MS)
  }
  broken()
  return { signal: silence.signal, broken, end: () => clearTimeout(timer) }
}

function request({ url, token }: Following, lastId: string, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'text/event-stream', ...bearer(token) }
  if (lastId !== '') headers['Last-Event-ID'] = lastId
  return fetch(url, { headers, signal, cache: 'no-store' })
}
