/** One connection on which a Redis tells what is published under `turn/` (rule R33). */
import type { Socket } from 'node:net'
import { appendPublish, appendTooLong } from '../core/event.ts'
import { BATCH_EVENTS, type Outlet, type Voice } from './outlet.ts'
import { PushReader, SUBSCRIBE } from './redis-push.ts'
import { command, login, NO_REDIS, openSocket, problemOf, whyRefused } from './redis-socket.ts'
import type { RedisTarget } from './redis-url.ts'

export interface SubscriptionOwner {
  readonly target: RedisTarget
  readonly out: Outlet
  readonly voice: Voice
  /** From now on nothing is missed. */
  stands(): void
  /** All that was published up to then has been heard; milliseconds since the epoch. */
  heardUntil(at: number): void
  /** The batch is about to go out. */
  heard(): void
  /** It is over, said once; `why` holds no secret. */
  over(why: string): void
}

/** Waits are counted in looks, four a second: a time in which this thread stood still is nobody's silence. */
const CONNECT_LOOKS = 40
/** A PING goes out this often, and the answer to one may take so long. */
const PING_LOOKS = 4
const SILENCE_LOOKS = 60
/** Room in a batch for what stands before an event. */
const SCENE_EVENTS = 8

export class Subscription {
  readonly #owner: SubscriptionOwner
  readonly #socket: Socket
  readonly #reader = new PushReader()
  /** Commands that were not answered yet. */
  readonly #asked: string[] = []
  #stands = false
  #isOver = false
  /** Since something was heard, and since a PING was sent. */
  #silentLooks = 0
  #pingLooks = 0
  #pingAt = Number.NaN

  constructor(owner: SubscriptionOwner) {
    this.#owner = owner
    const { target } = owner
    const reader = this.#reader
    const socket = openSocket(target, {
      buffer: () => reader.room(),
      callback: (bytes) => {
        if (!this.#isOver) this.#read(bytes)
        return true
      },
    })
    this.#socket = socket
    let problem = 'the connection was closed'
    socket.on('error', (error: NodeJS.ErrnoException) => {
      problem = problemOf(error, target)
    })
    socket.on('end', () => socket.destroy())
    socket.on('close', () => this.#fail(this.#stands ? problem : `cannot connect: ${problem}`))
    for (const words of [...login(target), SUBSCRIBE]) this.#ask(words)
  }

  /** To be called four times a second. */
  look(): void {
    if (this.#isOver) return
    this.#silentLooks++
    if (!this.#stands) {
      if (this.#silentLooks >= CONNECT_LOOKS) this.#fail('no answer for 10 s')
    } else if (this.#silentLooks >= SILENCE_LOOKS) this.#fail('no answer for 15 s')
    else if (++this.#pingLooks >= PING_LOOKS && Number.isNaN(this.#pingAt)) {
      this.#pingLooks = 0
      this.#pingAt = this.#owner.out.now()
      this.#ask(['PING'])
    }
  }

  /** Without a word. */
  end(): void {
    this.#isOver = true
    this.#socket.destroy()
  }

  #ask(words: readonly string[]): void {
    this.#asked.push(words[0]!)
    this.#socket.write(command(words))
  }

  #fail(why: string): void {
    if (this.#isOver) return
    this.end()
    this.#owner.over(why)
  }

  /** Everything that came is read to the end at once. */
  #read(bytes: number): void {
    this.#silentLooks = 0
    const { out } = this.#owner
    const reader = this.#reader
    reader.took(bytes)
    out.batch.bytes = reader.slab
    if (this.#stands) this.#begin()
    for (let found = reader.next(); found !== 'partial'; found = reader.next()) {
      const goesOn = found === 'event' || found === 'long' ? this.#published(found) : this.#said(found)
      if (!goesOn) return
    }
    this.#flush()
  }

  #published(found: 'event' | 'long'): boolean {
    const reader = this.#reader
    const { batch } = this.#owner.out
    if (!this.#stands) return this.#break(NO_REDIS)
    if (found === 'long') appendTooLong(batch)
    else appendPublish(batch, reader.channelStart, reader.channelEnd, reader.textStart, reader.textEnd)
    if (batch.length >= BATCH_EVENTS - SCENE_EVENTS) this.#flush()
    return true
  }

  #begin(): void {
    const { out, voice } = this.#owner
    out.scene(voice, 0, out.now())
  }

  #flush(): void {
    this.#owner.heard()
    this.#owner.out.flush()
  }

  /** Returns false when the connection is over. */
  #said(found: 'reply' | 'broken'): boolean {
    const asked = this.#asked.shift()
    if (found === 'broken' || asked === undefined) return this.#break(NO_REDIS)
    const [first = '', ...more] = this.#reader.words
    if (asked === 'PING') this.#ponged()
    else if (first.startsWith('-')) return this.#break(whyRefused(asked, first.slice(1)))
    else if (asked !== 'AUTH') {
      if (first !== 'psubscribe' || more.length !== 2) return this.#break(NO_REDIS)
      this.#subscribed()
    }
    return true
  }

  #break(why: string): false {
    this.#flush()
    this.#fail(why)
    return false
  }

  #subscribed(): void {
    this.#stands = true
    this.#owner.stands()
    this.#begin()
  }

  /** Whoever may not PING is answered too, in the same order. */
  #ponged(): void {
    this.#flush()
    this.#owner.heardUntil(this.#pingAt)
    this.#pingAt = Number.NaN
    this.#begin()
  }
}
