/** An archive behind HTTP, of which only the ranges are fetched that are needed. */
import { setTimeout as wait } from 'node:timers/promises'
import { Unseen } from '@fettle/check'
import { download } from './download.ts'
import {
  compressed,
  condition,
  HELP,
  isEncoded,
  isSame,
  PASSING,
  type Range,
  rangeOf,
  readUnsatisfied,
  retryAfterSeconds,
  sizeOf,
  statusProblem,
  type Version,
  versionOf,
} from './ranges.ts'
import { type Answer, Cut, PARALLEL, Requests, shownUrl } from './request.ts'
import type { Source } from './source.ts'

export interface HttpOptions {
  /** As readHeaders reads them. */
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Where the whole archive may be kept for a while if the server sends no ranges; undefined: it may not. */
  readonly download?: string | undefined
  /** A connection from which nothing comes for so long is given up. */
  readonly idleMilliseconds?: number
}

/** An end record with the longest comment, and what zip64 puts before it. */
const TAIL = 65_536 + 22 + 20 + 56
/** An archive of so many bytes is simply fetched where there are no ranges. */
const SMALL = 1 << 20
/** In a row, without a byte. */
const TRIES = 5
/** As long as nothing came from there at all, which may be a wrong address. */
const FIRST_TRIES = 3
const IDLE_MS = 15_000
/** For the size alone. */
const FIRST = 'bytes=0-0'
const PACE = { waste: 0.1, gap: 1 << 16, piece: 4 << 20, parallel: PARALLEL }

/** Throws Unseen. The bytes that come first are those of the end, where archives are read from. */
export async function openHttp(url: URL, options: HttpOptions): Promise<Source> {
  const { headers, signal, idleMilliseconds = IDLE_MS } = options
  const requests = new Requests(url, { headers, signal, idleMilliseconds })
  try {
    return await new Opening(url, requests, options).open()
  } catch (error) {
    requests.close()
    throw error
  }
}

/** What was learned by the first request. */
interface Known {
  readonly version: Version
  /** After redirects. */
  readonly url: URL
  /** Where `bytes` begin; they reach to the end. */
  readonly start: number
  readonly bytes: Buffer
}

/** Tries again what failed on its way, later and later. `reached` tells by its number whether it got further. */
async function persist<T>(signal: AbortSignal, tries: number, work: () => Promise<T>, reached = () => 0): Promise<T> {
  let before = reached()
  for (let failures = 0; ; ) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Cut)) throw error
      failures = reached() > before ? 1 : failures + 1
      before = reached()
      if (failures >= tries) throw error
      await wait(pauseSeconds(error, failures) * 1000, undefined, { signal }).catch(() => {})
      signal.throwIfAborted()
    }
  }
}

/** Those who were cut off together do not come back together. */
function pauseSeconds(error: Cut, failures: number): number {
  const asked = error instanceof Busy ? error.seconds : undefined
  return (asked ?? 0.25 * 2 ** (failures - 1)) * (1 + Math.random() / 4)
}

/** The server asks us to come back later. */
class Busy extends Cut {
  readonly seconds: number | undefined

  constructor(answer: Answer) {
    super(`the server answers with the status ${answer.status}`)
    this.seconds = retryAfterSeconds(answer.headers, Date.now())
  }
}

/** In words for the user, when nothing helped. */
function gaveUp(name: string, tries: number, error: unknown): unknown {
  return error instanceof Cut ? new Unseen(`${name}: ${error.message}; tried ${tries} times`) : error
}

class Opening {
  readonly #url: URL
  readonly #name: string
  readonly #requests: Requests
  readonly #options: HttpOptions

  constructor(url: URL, requests: Requests, options: HttpOptions) {
    this.#url = url
    this.#name = shownUrl(url)
    this.#requests = requests
    this.#options = options
  }

  async open(): Promise<Source> {
    const { signal } = this.#options
    try {
      const known = await persist(signal, FIRST_TRIES, () => this.#probe(`bytes=-${TAIL}`))
      if (known !== undefined) return new HttpSource(this.#name, this.#url, known, this.#requests, signal)
    } catch (error) {
      throw gaveUp(this.#name, FIRST_TRIES, error)
    }
    const folder = this.#options.download
    if (folder === undefined) throw new Error('nobody said that it may be downloaded')
    return this.#downloaded(folder)
  }

  /** undefined: it has to be downloaded, and may be. */
  async #probe(range: string): Promise<Known | undefined> {
    const answer = await this.#requests.get(this.#url, { range })
    const { status } = answer
    if (status === 206) return this.#known(answer)
    if (status === 200) return this.#whole(answer, range)
    answer.body.destroy()
    if (status === 416) return this.#unsatisfied(answer, range)
    if (PASSING.has(status)) throw new Busy(answer)
    throw statusProblem(this.#name, status, false)
  }

  async #known(answer: Answer): Promise<Known | undefined> {
    let range: Range
    try {
      range = rangeOf(this.#name, answer)
    } catch (error) {
      answer.body.destroy()
      if (this.#options.download !== undefined) return undefined
      throw error
    }
    const { start, end, size } = range
    if (size === undefined) {
      answer.body.destroy()
      throw new Unseen(`${this.#name}: the server does not say how large the archive is; ${HELP}`)
    }
    const version = versionOf(answer.headers, size)
    if (end !== size || end - start > TAIL) {
      // Only one byte was asked for, to learn the size; or a range was answered that nobody asked for.
      answer.body.destroy()
      return { version, url: answer.url, start: size, bytes: Buffer.alloc(0) }
    }
    const bytes = Buffer.alloc(end - start)
    await fill(this.#requests, this.#name, answer, bytes, () => {})
    return { version, url: answer.url, start, bytes }
  }

  /** The server ignores what it was asked for. */
  async #whole(answer: Answer, range: string): Promise<Known | undefined> {
    const size = sizeOf(answer.headers)
    if (size === 0) throw empty(this.#name)
    if (size !== undefined && size <= SMALL && !isEncoded(answer.headers)) {
      const bytes = Buffer.alloc(size)
      await fill(this.#requests, this.#name, answer, bytes, () => {})
      return { version: versionOf(answer.headers, size), url: answer.url, start: 0, bytes }
    }
    answer.body.destroy()
    if (isEncoded(answer.headers)) throw compressed(this.#name)
    // Some servers know ranges, but not those that count from the end.
    const isWilling = answer.headers['accept-ranges']?.toLowerCase() === 'bytes'
    if (isWilling && range !== FIRST) return this.#probe(FIRST)
    if (this.#options.download !== undefined) return undefined
    const how = size === undefined ? 'whole' : `whole, ${Math.ceil(size / 1e6)} MB`
    throw new Unseen(`${this.#name}: the server sends the archive only ${how}, and no ranges of it; ${HELP}`)
  }

  async #unsatisfied(answer: Answer, range: string): Promise<Known | undefined> {
    const size = readUnsatisfied(answer.headers['content-range'])
    if (size === 0) throw empty(this.#name)
    if (range !== FIRST) return this.#probe(FIRST)
    throw statusProblem(this.#name, answer.status, false)
  }

  async #downloaded(folder: string): Promise<Source> {
    const { signal } = this.#options
    const fetch = async (): Promise<Source> => {
      const answer = await this.#requests.get(this.#url, {})
      if (answer.status !== 200) {
        answer.body.destroy()
        throw PASSING.has(answer.status) ? new Busy(answer) : statusProblem(this.#name, answer.status, false)
      }
      return download(this.#name, answer, this.#requests, folder)
    }
    try {
      return await persist(signal, TRIES, fetch)
    } catch (error) {
      throw gaveUp(this.#name, TRIES, error)
    }
  }
}

function empty(name: string): Unseen {
  return new Unseen(`${name}: is empty; it is no archive`)
}

/** Fills `bytes` by the body, exactly. Throws Cut, or Unseen when more comes. */
async function fill(
  requests: Requests,
  name: string,
  answer: Answer,
  bytes: Buffer,
  advance: (count: number) => void,
): Promise<void> {
  let at = 0
  let isTooLong = false
  await requests.receive(answer, (chunk) => {
    isTooLong = at + chunk.length > bytes.length
    if (isTooLong) return false
    chunk.copy(bytes, at)
    at += chunk.length
    advance(chunk.length)
    return true
  })
  if (isTooLong) throw new Unseen(`${name}: the server sends more than the range that it was asked for`)
  if (at < bytes.length) throw new Cut('the server sends less than it says')
}

class HttpSource implements Source {
  readonly name: string
  readonly size: number
  readonly pace = PACE
  readonly #home: URL
  readonly #version: Version
  readonly #requests: Requests
  readonly #signal: AbortSignal
  readonly #tail: { readonly start: number; readonly bytes: Buffer }
  /** Where the last redirect led to; it is asked for directly as long as that works. */
  #url: URL

  constructor(name: string, home: URL, known: Known, requests: Requests, signal: AbortSignal) {
    this.name = name
    this.size = known.version.size
    this.#home = home
    this.#version = known.version
    this.#url = known.url
    this.#tail = { start: known.start, bytes: known.bytes }
    this.#requests = requests
    this.#signal = signal
  }

  get cost() {
    return { bytes: this.#requests.bytes, requests: this.#requests.count }
  }

  async read(start: number, end: number): Promise<Buffer> {
    if (start < 0 || end > this.size || start > end) throw new Error(`no range: ${start}-${end} of ${this.size}`)
    const { start: tail, bytes } = this.#tail
    if (start >= tail) return bytes.subarray(start - tail, end - tail)
    const wanted = Buffer.alloc(end - start)
    const missing = Math.min(end, tail) - start
    bytes.copy(wanted, missing, 0, Math.max(0, end - tail))
    await this.#fetch(start, wanted.subarray(0, missing))
    return wanted
  }

  async close(): Promise<void> {
    this.#requests.close()
  }

  /** What breaks off goes on where it broke off. */
  async #fetch(start: number, bytes: Buffer): Promise<void> {
    let at = 0
    const advance = (count: number) => {
      at += count
    }
    const more = async () => {
      const range = { start: start + at, end: start + bytes.length }
      if (range.start === range.end) return
      await fill(this.#requests, this.name, await this.#ask(range), bytes.subarray(at), advance)
    }
    try {
      await persist(this.#signal, TRIES, more, () => at)
    } catch (error) {
      throw gaveUp(this.name, TRIES, error)
    }
  }

  async #ask(wanted: { readonly start: number; readonly end: number }): Promise<Answer> {
    const headers = { range: `bytes=${wanted.start}-${wanted.end - 1}`, ...condition(this.#version) }
    const answer = await this.#requests.get(this.#url, headers)
    try {
      this.#check(answer, wanted)
    } catch (error) {
      answer.body.destroy()
      throw error
    }
    this.#url = answer.url
    return answer
  }

  #check(answer: Answer, wanted: { readonly start: number; readonly end: number }): void {
    const { status, headers } = answer
    if (status === 206) {
      const { start, end, size } = rangeOf(this.name, answer)
      if (!isSame(this.#version, headers, size)) throw this.#changed()
      const isWhole = (sizeOf(headers) ?? end - start) === end - start
      if (start === wanted.start && end === wanted.end && isWhole) return
      throw new Unseen(`${this.name}: the server sends another range than it was asked for; ${HELP}`)
    }
    if (status === 200) {
      if (!isSame(this.#version, headers, sizeOf(headers))) throw this.#changed()
      throw new Unseen(`${this.name}: the server no longer sends ranges, but the whole archive; ${HELP}`)
    }
    if (status === 412 || status === 416) throw this.#changed()
    if (PASSING.has(status)) throw new Busy(answer)
    if (this.#url.href === this.#home.href) throw statusProblem(this.name, status, true)
    // What a redirect led to is often valid for minutes only; where it came from gives another.
    this.#url = this.#home
    throw new Cut(statusProblem(this.name, status, true).message)
  }

  #changed(): Unseen {
    return new Unseen(`${this.name}: the archive was changed while it was read; run this again`)
  }
}
