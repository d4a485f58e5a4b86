/** Asks the meter that runs on a data folder. */
import { isHeld, type Running, readRunning, readToken } from '@fettle/relay'

/** The meter cannot be asked; the message is one line that says what to do. */
export class MeterFault extends Error {}

/** A running meter, as a client needs it. */
export interface Meter {
  readonly data: string
  /** Such as `http://127.0.0.1:7430`. */
  readonly http: string
  readonly token: string
}

/** A schema of the API. */
interface Shape<T> {
  parse(value: unknown): T
}

const ANSWER_MS = 5000
/** What is to be done is written to a disk first. */
const DONE_MS = 60_000
/** A meter with nothing to tell says that it is alive every 15 s. */
const SILENT_MS = 40_000
const SECOND_MS = 1000
/** Of the event stream, without an end of message. */
const MESSAGE_MAX = 1_000_000

/**
 * Where the meter on this folder listens; undefined when none runs. A meter that was killed leaves its address behind
 * and not its lock, which the kernel takes away.
 */
export function findRunning(data: string): Running | undefined {
  return isHeld(data) ? readRunning(data) : undefined
}

/** The meter on this folder, or a fault: none runs, or it serves no API. */
export function meterOn(data: string): Meter {
  const running = findRunning(data)
  if (running === undefined) {
    throw isHeld(data) ? new MeterFault(`${data}: its meter starts or stops; try again in a moment`) : notRunning(data)
  }
  if (running.http === null) {
    throw new MeterFault(`${data}: its meter serves no API; start it without --http off`)
  }
  return { data, http: running.http, token: readToken(data) }
}

function notRunning(data: string): MeterFault {
  return new MeterFault(`${data}: no meter is running; start one with fettle relay serve --data ${data}`)
}

const unanswered = ({ http }: Meter, ms: number) => new MeterFault(`${http}: no answer within ${ms / 1000} s`)

/** An answer of the API, also one that comes with a status of its own such as that of `/readyz`. */
export async function ask<T>(meter: Meter, path: string, shape: Shape<T>): Promise<T> {
  return read(meter, path, shape, await request(meter, path, AbortSignal.timeout(ANSWER_MS)))
}

/** Sends something to be done, and waits for the word that it is. */
export async function send<T>(meter: Meter, path: string, body: object, shape: Shape<T>): Promise<T> {
  const json = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  return read(meter, path, shape, await request(meter, path, AbortSignal.timeout(DONE_MS), json))
}

async function read<T>(meter: Meter, path: string, shape: Shape<T>, response: Response): Promise<T> {
  try {
    const body: unknown = await response.json()
    if (!response.ok && isProblem(body)) throw new MeterFault(`${meter.http}${path}: ${body.detail}`)
    return shape.parse(body)
  } catch (error) {
    if (error instanceof MeterFault) throw error
    throw new MeterFault(`${meter.http}${path}: no answer that this fettle understands (status ${response.status})`)
  }
}

interface Sending {
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

async function request(meter: Meter, path: string, signal: AbortSignal, sending: Sending = {}): Promise<Response> {
  const { token } = meter
  const headers = { ...sending.headers, ...(token === '' ? {} : { authorization: `Bearer ${token}` }) }
  let response: Response
  try {
    response = await fetch(meter.http + path, { ...sending, headers, signal })
  } catch (error) {
    if (error instanceof MeterFault) throw error
    const { name, cause } = error as Error
    if (name === 'TimeoutError') throw unanswered(meter, sending.method === undefined ? ANSWER_MS : DONE_MS)
    if ((cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED') throw notRunning(meter.data)
    throw new MeterFault(`${meter.http}: no answer (${(cause as Error | undefined)?.message ?? name})`)
  }
  if (response.status === 401) {
    await response.body?.cancel()
    throw new MeterFault(`${meter.http}: does not take the token in ${meter.data}/token; restart the meter`)
  }
  return response
}

function isProblem(body: unknown): body is { readonly detail: string } {
  return typeof body === 'object' && body !== null && 'detail' in body && typeof body.detail === 'string'
}

/** A message of a stream of server-sent events. */
export interface Message {
  readonly event: string
  readonly data: string
}

/** What a message holds, or a fault: it is of another version of fettle. */
export function readAs<T>(shape: Shape<T>, data: string): T {
  try {
    return shape.parse(JSON.parse(data))
  } catch {
    throw new MeterFault('the meter says what this fettle does not understand: are both of one version?')
  }
}

/** The messages of a stream, until the signal aborts. A fault: the meter has gone away, or says nothing. */
export async function* listenTo(meter: Meter, path: string, signal: AbortSignal): AsyncGenerator<Message> {
  const silence = new AbortController()
  let limit = ANSWER_MS
  let silentMs = 0
  // Turns are counted, not the clock's time: a tail that was stopped itself has not heard the meter's silence.
  const timer = setInterval(() => {
    silentMs += SECOND_MS
    if (silentMs >= limit) silence.abort(unanswered(meter, limit))
  }, SECOND_MS)
  try {
    const response = await request(meter, path, AbortSignal.any([signal, silence.signal]))
    if (!response.ok || response.body === null) {
      throw new MeterFault(`${meter.http}${path}: answers with status ${response.status}`)
    }
    limit = SILENT_MS
    yield* messages(response.body, () => {
      silentMs = 0
    })
  } catch (error) {
    if (signal.aborted) return
    if (error instanceof MeterFault) throw error
  } finally {
    clearInterval(timer)
  }
  if (!signal.aborted) throw new MeterFault('the meter has gone away')
}

/** HTML Living Standard, server-sent events: lines of `field: value`, a blank line ends a message. */
async function* messages(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<Message> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    heard()
    rest += decoder.decode(chunk, { stream: true })
    const parts = rest.split('\n\n')
    rest = parts.pop()!
    if (rest.length > MESSAGE_MAX) throw new MeterFault('the meter sends a message that does not end')
    // One without data says only that the meter is alive.
    for (const part of parts) if (/^data:/m.test(part)) yield readMessage(part)
  }
}

function readMessage(text: string): Message {
  const values = (field: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${field}:`))
      .map((line) => line.slice(field.length + 1).replace(/^ /, ''))
  return { event: values('event').at(-1) ?? 'message', data: values('data').join('\n') }
}
