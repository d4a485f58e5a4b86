/** One connection on which a Redis is asked how it is set, and which allocations have a status key (rule R34). */
import type { Socket } from 'node:net'
import { SETTINGS } from './redis-advice.ts'
import { command, fitForLog, login, NO_REDIS, openSocket, problemOf, whyRefused } from './redis-socket.ts'
import type { RedisTarget } from './redis-url.ts'
import { ReplyReader } from './upstream-reply.ts'

export interface InquiryOwner {
  readonly target: RedisTarget
  /** A status key and its value, each byte a character. */
  found(key: string, value: string): void
  /** What a setting is; undefined: it may not be looked at. */
  setting(name: string, value: string | undefined): void
  /** All was asked and answered, or `why` not. Said once. */
  answered(why: string | undefined): void
}

const PATTERN = 'turn/*/allocation/*/status'
/** So many keys are looked at with each SCAN, which holds up Redis for less than a millisecond. */
const SCAN_COUNT = '1000'
const WORDS_MAX = 100_000
/** Looks, four a second. */
const SILENCE_LOOKS = 40
const ALL_LOOKS = 2400

interface Question {
  readonly words: readonly string[]
  readonly answer: (words: readonly string[], error: string | undefined) => void
}

export class Inquiry {
  readonly #owner: InquiryOwner
  readonly #socket: Socket
  /** What was asked and not answered yet. */
  readonly #questions: Question[] = []
  #words: string[] = []
  #isOver = false
  #silentLooks = 0
  #looks = 0
  readonly #asksKeys: boolean

  /** `keys`: ask for the status keys as well. */
  constructor(owner: InquiryOwner, keys: boolean) {
    this.#owner = owner
    this.#asksKeys = keys
    const { target } = owner
    const socket = openSocket(target)
    const reader = new ReplyReader({
      reply: (error) => this.#reply(error),
      wantsWords: () => !this.#isOver,
      word: (bytes) => {
        if (this.#words.length < WORDS_MAX) this.#words.push(bytes.toString('latin1'))
      },
    })
    this.#socket = socket
    let problem = 'the connection was closed'
    socket.on('data', (chunk) => {
      this.#silentLooks = 0
      if (!this.#isOver && !reader.read(chunk)) this.#end(NO_REDIS)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      problem = problemOf(error, target)
    })
    socket.on('close', () => this.#end(problem))
    this.#begin()
  }

  /** To be called four times a second. */
  look(): void {
    if (++this.#silentLooks >= SILENCE_LOOKS || ++this.#looks >= ALL_LOOKS) this.#end('no answer')
  }

  /** Without a word. */
  stop(): void {
    this.#isOver = true
    this.#socket.destroy()
  }

  #end(why: string | undefined): void {
    if (this.#isOver) return
    this.stop()
    this.#owner.answered(why === undefined ? undefined : fitForLog(why))
  }

  #begin(): void {
    const { target } = this.#owner
    const select = target.database ? [['SELECT', String(target.database)]] : []
    for (const words of [...login(target), ...select]) {
      this.#ask(words, (_, error) => {
        if (error !== undefined) this.#end(whyRefused(words[0]!, error))
      })
    }
    for (const name of SETTINGS) {
      this.#ask(['CONFIG', 'GET', name], (words, error) => {
        this.#owner.setting(name, error === undefined && words[0] === name ? words[1] : undefined)
        if (!this.#asksKeys && this.#questions.length === 0) this.#end(undefined)
      })
    }
    if (this.#asksKeys) this.#scan('0')
  }

  #scan(cursor: string): void {
    this.#ask(['SCAN', cursor, 'MATCH', PATTERN, 'COUNT', SCAN_COUNT], ([next = '0', ...keys], error) => {
      if (error !== undefined) return this.#end(error)
      for (const key of keys) this.#get(key)
      if (next !== '0') this.#ask(['PING'], () => this.#scan(next))
      else this.#ask(['PING'], () => this.#end(undefined))
    })
  }

  #get(key: string): void {
    this.#ask(['GET', key], ([value], error) => {
      if (error !== undefined) this.#end(error)
      else if (value !== undefined) this.#owner.found(key, value)
    })
  }

  #ask(words: readonly string[], answer: Question['answer']): void {
    this.#questions.push({ words, answer })
    this.#socket.write(command(words, words[0] === 'GET' ? 'latin1' : 'utf8'))
  }

  #reply(error: string | undefined): void {
    if (this.#isOver) return
    const question = this.#questions.shift()
    const words = this.#words
    this.#words = []
    if (question === undefined) this.#end(NO_REDIS)
    else question.answer(words, error)
  }
}
