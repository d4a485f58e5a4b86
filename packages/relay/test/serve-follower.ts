/** A client of a stream of events. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { TOKEN } from './api-rig.ts'

export interface Message {
  readonly event: string
  readonly id: number
  readonly data: string
}

interface Ending {
  after(hook: () => unknown): void
}

/** A client of a stream; what it has been sent can be waited for. */
export class Follower {
  readonly messages: Message[] = []
  readonly ended: Promise<void>
  #rest = ''
  #news = Promise.withResolvers<void>()
  readonly #stop = new AbortController()
  #taken = 0

  constructor(response: Response, test: Ending) {
    assert.equal(response.status, 200)
    this.ended = this.#read(response).catch(() => {})
    test.after(() => this.stop())
  }

  static async on(address: string, test: Ending, headers: Record<string, string> = {}): Promise<Follower> {
    return new Follower(await fetch(address, { headers: { Authorization: `Bearer ${TOKEN}`, ...headers } }), test)
  }

  stop(): void {
    this.#stop.abort()
  }

  /** The next message that has not been taken. */
  async next(): Promise<Message> {
    const late = AbortSignal.timeout(5000)
    while (this.messages.length <= this.#taken) {
      await Promise.race([this.#news.promise, once(late, 'abort').then(() => assert.fail('no message came'))])
    }
    return this.messages[this.#taken++]!
  }

  /** Takes messages until one fits. */
  async until(fits: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const message = await this.next()
      if (fits(message)) return message
    }
  }

  async #read(response: Response): Promise<void> {
    const pieces = response.body!.pipeThrough(new TextDecoderStream(), { signal: this.#stop.signal })
    for await (const piece of pieces) {
      const parts = (this.#rest + piece).split('\n\n')
      this.#rest = parts.pop()!
      for (const part of parts) this.#take(part)
    }
  }

  #take(part: string): void {
    const lines = part.split('\n')
    const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
    const data = field('data')
    if (data === undefined) return
    this.messages.push({ event: field('event') ?? 'message', id: Number(field('id')), data })
    this.#news.resolve()
    this.#news = Promise.withResolvers()
  }
}
