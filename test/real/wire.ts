/** Stands between coturn and the meter and keeps what was said, in the one order in which the meter reads it. */
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A message that was published. */
export interface Published {
  readonly channel: string
  readonly message: string
}

interface Waiting {
  readonly to: Socket
  readonly bytes: Buffer
  /** Replies to come, one for each request. */
  readonly requests: number
}

/**
 * Hands over one chunk of whole requests at a time, from whichever connection, and waits for its replies: so the order
 * kept here is the order of the meter's events, although coturn has a connection for each thread.
 */
export class WireRecorder {
  /** Since the last `begin`. */
  published: Published[] = []
  readonly #server: Server
  readonly #target: () => { host: string; port: number }
  #queue: Waiting[] = []
  #current: Waiting | undefined
  #replies = 0
  #waiting: (() => void)[] = []

  constructor(target: () => { host: string; port: number }) {
    this.#target = target
    this.#server = createServer((client) => this.#accept(client))
  }

  async listen(host: string): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, host, resolve))
    return (this.#server.address() as { port: number }).port
  }

  begin(): void {
    this.published = []
  }

  /** Resolves when the next message is handed over. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  close(): void {
    this.#server.close()
  }

  #accept(client: Socket): void {
    const meter = connect(this.#target())
    let rest = Buffer.alloc(0)
    client.on('error', () => {})
    meter.on('error', () => {})
    // What comes while no meter runs was never handed over.
    client.pause()
    meter.once('connect', () => client.resume())
    client.on('data', (chunk) => {
      const bytes = Buffer.concat([rest, chunk])
      const { end, requests } = wholeRequests(bytes)
      rest = bytes.subarray(end)
      if (requests === 0) return
      this.#queue.push({ to: meter, bytes: bytes.subarray(0, end), requests })
      this.#next()
    })
    meter.on('data', (chunk) => {
      client.write(chunk)
      if (this.#current?.to !== meter) return
      this.#replies += chunk.toString('latin1').split('\r\n').length - 1
      if (this.#replies < this.#current.requests) return
      this.#current = undefined
      this.#next()
    })
    client.on('close', () => meter.end())
    meter.on('close', () => {
      client.destroy()
      this.#queue = this.#queue.filter(({ to }) => to !== meter)
      if (this.#current?.to === meter) this.#current = undefined
      this.#next()
    })
  }

  #next(): void {
    if (this.#current !== undefined) return
    const next = this.#queue.shift()
    if (next === undefined) return
    this.#current = next
    this.#replies = 0
    const published = publishedIn(next.bytes)
    this.published.push(...published)
    next.to.write(next.bytes)
    if (published.length > 0) for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** Where the last whole request ends, and how many there are. */
function wholeRequests(bytes: Buffer): { end: number; requests: number } {
  let end = 0
  let requests = 0
  for (;;) {
    const next = requestAt(bytes, end)
    if (next === undefined) return { end, requests }
    end = next.end
    requests++
  }
}

/** The words of the request at `at`; undefined when it is not whole. */
function requestAt(bytes: Buffer, at: number): { end: number; words: string[] } | undefined {
  const line = (from: number) => {
    const end = bytes.indexOf('\r\n', from)
    return end < 0 ? undefined : { number: Number(bytes.toString('latin1', from + 1, end)), end: end + 2 }
  }
  const count = line(at)
  if (count === undefined) return undefined
  const words: string[] = []
  let end = count.end
  for (let i = 0; i < count.number; i++) {
    const length = line(end)
    if (length === undefined || length.end + length.number + 2 > bytes.length) return undefined
    words.push(bytes.toString('latin1', length.end, length.end + length.number))
    end = length.end + length.number + 2
  }
  return { end, words }
}

function publishedIn(bytes: Buffer): Published[] {
  const found: Published[] = []
  for (let at = 0; at < bytes.length; ) {
    const { end, words } = requestAt(bytes, at)!
    const [command = '', channel = '', message = ''] = words
    if (command.toLowerCase() === 'publish' && channel.startsWith('turn/')) found.push({ channel, message })
    at = end
  }
  return found
}
