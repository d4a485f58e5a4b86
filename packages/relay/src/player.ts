/** Plays recorded calls into a RESP endpoint, as coturn would report them if they were made now. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** A call that begins, under made-up names. */
export interface PlayedCall {
  /** What was recorded. */
  readonly what: 'video' | 'file transfer' | 'file transfer over TCP'
  /** Who calls whom. */
  readonly devices: readonly string[]
}

export interface PlayOptions {
  readonly host: string
  readonly port: number
  readonly token: string
  /** 1: as fast as it was. */
  readonly speed: number
  /** Ends it. */
  readonly signal: AbortSignal
  readonly on: (call: PlayedCall) => void
}

/** How the made-up usernames are to be read. */
export const PLAYED_TEMPLATE = '{expires}:{device}_{account}'

const REALM = 'example.org'
const ACCOUNTS = ['north', 'south', 'east', 'west']
/** So many that the session of a device is long over when it calls again. */
const DEVICES = 60
const BETWEEN_CALLS_MS = 3000
const CREDENTIAL_SECONDS = 86_400

interface RecordedEvent {
  /** Since the first one of the call. */
  readonly afterMs: number
  /** coturn's id in the recording. */
  readonly id: string
  /** What follows the id in the channel. */
  readonly kind: string
  readonly message: string
}

interface RecordedCall {
  readonly what: PlayedCall['what']
  readonly events: readonly RecordedEvent[]
}

const LINE = /^(\d+(?:\.\d+)?)\tturn\/realm\/[^/]+\/user\/[^/]+\/allocation\/(\d{18})\/([a-z_/]+)\t(.+)$/

function readCall(file: string, what: PlayedCall['what']): RecordedCall {
  const events: RecordedEvent[] = []
  let began: number | undefined
  for (const line of readFileSync(new URL(`../demo/${file}`, import.meta.url), 'utf8').split('\n')) {
    const [, time, id, kind, message] = LINE.exec(line) ?? []
    if (time === undefined || id === undefined || kind === undefined || message === undefined) continue
    began ??= Number(time)
    events.push({ afterMs: Number(time) - began, id, kind, message })
  }
  return { what, events }
}

/**
 * Starts a call every three seconds until the signal aborts. Rejects when the endpoint cannot be reached at the start;
 * what it misses later is lost, as it would be from a coturn.
 */
export async function play(options: PlayOptions): Promise<void> {
  const video = readCall('video.txt', 'video')
  const calls = [video, readCall('file.txt', 'file transfer'), video, readCall('tcp.txt', 'file transfer over TCP')]
  await announce(options)
  const coturn = new Coturn(options)
  const playing = new Set<Promise<void>>()
  for (let n = 0; !options.signal.aborted; n++) {
    const one = playCall(calls[n % calls.length]!, n, coturn, options).then(() => {
      playing.delete(one)
    })
    playing.add(one)
    await pause(BETWEEN_CALLS_MS / options.speed, options.signal)
  }
  await Promise.all(playing)
  coturn.close()
}

/** Returns at once when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await wait(ms, undefined, { signal }).catch(() => {})
}

async function playCall(call: RecordedCall, n: number, coturn: Coturn, options: PlayOptions): Promise<void> {
  const began = performance.now()
  const expires = Math.floor(Date.now() / 1000) + CREDENTIAL_SECONDS
  const ids = Array.from(new Set(call.events.map(({ id }) => id)))
  const devices = ids.map((_, i) => (n * ids.length + i) % DEVICES)
  const deviceName = (device: number) => `desk-${String(device + 1).padStart(2, '0')}`
  const paths = new Map(
    ids.map((id, i) => {
      const username = `${expires}:${deviceName(devices[i]!)}_${ACCOUNTS[devices[i]! % ACCOUNTS.length]}`
      return [id, `turn/realm/${REALM}/user/${username}/allocation/${coturn.newId(id.slice(0, 3))}`] as const
    }),
  )
  options.on({ what: call.what, devices: devices.map(deviceName) })
  for (const { afterMs, id, kind, message } of call.events) {
    await pause(began + afterMs / options.speed - performance.now(), options.signal)
    if (options.signal.aborted) return
    coturn.publish(id.slice(0, 3), `${paths.get(id)}/${kind}`, message)
  }
}

/** What a starting coturn does first: a connection asks for the keys that a coturn before it may have left. */
async function announce(options: PlayOptions): Promise<void> {
  const socket = open(options)
  await once(socket, 'connect')
  socket.end(request('keys', 'turn/*/allocation/*/status'))
  await once(socket, 'close')
}

/** A connection for each relay thread, opened with its first event and again when it broke. */
class Coturn {
  readonly #options: PlayOptions
  readonly #sockets = new Map<string, Socket>()
  #ids = 0

  constructor(options: PlayOptions) {
    this.#options = options
  }

  /** coturn's 18 digits: the thread, and a number. */
  newId(thread: string): string {
    return thread + String(++this.#ids).padStart(15, '0')
  }

  publish(thread: string, channel: string, message: string): void {
    let socket = this.#sockets.get(thread)
    if (socket === undefined || socket.destroyed) {
      socket = open(this.#options)
      this.#sockets.set(thread, socket)
    }
    socket.write(request('PUBLISH', channel, message))
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.destroy()
  }
}

function open({ host, port, token }: PlayOptions): Socket {
  const socket = connect({ host, port, noDelay: true })
  // An error is followed by `close`; who waits for the connection hears of it as well.
  socket.on('error', () => {})
  socket.resume()
  socket.write(Buffer.concat([request('AUTH', token), request('SELECT', '0')]))
  return socket
}

/** A request as hiredis writes it. */
function request(...words: readonly string[]): Buffer {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  return Buffer.from(`*${words.length}\r\n${parts.join('')}`)
}
