/** Follows `/v1/live` for as long as the page is open, through every loss of the connection. */
import type { LiveChange, LiveSnapshot } from '@fettle/relay/api'
import { bearer } from '../token.ts'
import { createReader, type ServerEvent } from './sse.ts'

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** `since`: when the last was heard, by the browser's time of day; undefined: nothing ever was. */
  | { readonly kind: 'lost'; readonly since: number | undefined; readonly why: string }
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
const LISTEN_MS = 1000

export function follow(following: Following): Follower {
  const stop = new AbortController()
  let wake = () => {}
  let tries = 0
  let lastId = ''
  let heardAt: number | undefined

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
      const said = events(piece.value)
      said.forEach(receive)
      // Not before: what answers may be something else than a meter.
      if (said.length > 0) live()
      if (tries === 0) heardAt = Date.now()
    }
  }

  /** Reads until the stream ends, and says why it did; undefined when the token was refused. */
  const read = async (): Promise<string | undefined> => {
    const silence = watchSilence()
    try {
      const response = await request(following, lastId, AbortSignal.any([stop.signal, silence.signal]))
      if (response.status === 401) return undefined
      if (!response.ok || response.body === null) return `the meter answered with status ${response.status}`
      await readAll(response.body, silence.broken)
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

/**
 * Its signal aborts when nothing has broken the silence for too long. The browser's monotonic clock may stand still
 * while the computer sleeps, and the time of day may be set: the one that has gone further counts.
 */
function watchSilence() {
  const silence = new AbortController()
  let heard = { day: 0, steady: 0 }
  const broken = () => {
    heard = { day: Date.now(), steady: performance.now() }
  }
  broken()
  const timer = setInterval(() => {
    const silent = Math.max(Date.now() - heard.day, performance.now() - heard.steady)
    if (silent > SILENCE_MS) silence.abort()
  }, LISTEN_MS)
  const end = () => {
    clearInterval(timer)
    // What is not read to its end, because it makes no sense, would keep one of the few connections of a browser.
    silence.abort()
  }
  return { signal: silence.signal, broken, end }
}

function request({ url, token }: Following, lastId: string, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'text/event-stream', ...bearer(token) }
  if (lastId !== '') headers['Last-Event-ID'] = lastId
  return fetch(url, { headers, signal, cache: 'no-store' })
}
