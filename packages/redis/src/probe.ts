/** The only place where a live Redis is asked anything. */
import { setTimeout as wait } from 'node:timers/promises'
import { Unseen } from '@fettle/check'
import { type Borrowed, borrow, borrowedFrom } from '@fettle/check/change'
import type { Connection } from './connection.ts'
import { type Hold, holdOf } from './core/look/hold.ts'
import { type Look, type Sampling, SETTINGS, type Seen } from './core/look/look.ts'
import { LOGGING_NAME, OwnCount } from './core/look/own.ts'
import { readClients } from './core/read/clients.ts'
import { type Answer, Refusal } from './core/read/resp.ts'
import type { Door } from './door.ts'

const TOOL = 'redis'
const THRESHOLD = 'slowlog-log-slower-than'
/** Long enough for whoever waited to be served. */
const CALM_MS = 10

export class Probe {
  /** Under which the server shows our connections. */
  readonly name: string
  /** It let us in without a password. */
  readonly isOpen: boolean
  /** Settings that a killed run had left behind, and that are back now. */
  readonly restored: readonly string[]
  readonly #door: Door
  readonly #connection: Connection
  readonly #data: string
  readonly #answerMilliseconds: number | undefined
  readonly #began = performance.now()
  readonly #own = new OwnCount()
  #hold: Hold | null = null
  #returned: (() => void) | undefined
  #threshold = ''
  #isTouched = false

  private constructor(
    door: Door,
    connection: Connection,
    data: string,
    name: string,
    restored: readonly string[],
    answerMilliseconds?: number,
  ) {
    this.#door = door
    this.#connection = connection
    this.#data = data
    this.#answerMilliseconds = answerMilliseconds
    this.name = name
    this.isOpen = door.isOpen
    this.restored = restored
  }

  /**
   * `isLogging`: windows will be opened. `answerMilliseconds`: for how long each look is waited for (10 s). Throws
   * Unseen: unreachable, not let in, or another one is at work there.
   */
  static async open(door: Door, data: string, isLogging: boolean, answerMilliseconds?: number): Promise<Probe> {
    const left = borrowedFrom(data, door.name)
    const held = left.find(({ isHeld }) => isHeld)
    if (held !== undefined) {
      throw new Unseen(`${door.name}: process ${held.process} is looking at it already; wait for it, or end it`)
    }
    const connection = await door.enter()
    try {
      const name = door.clientName(isLogging)
      await standAlone(connection, door.name, name)
      const restored: string[] = []
      for (const one of left) {
        restored.push(...(await giveBack(connection, one)))
        one.forget()
      }
      return new Probe(door, connection, data, name, restored, answerMilliseconds)
    } catch (error) {
      connection.close()
      throw error
    }
  }

  async observe(look: Look): Promise<Seen> {
    await this.#until(look.at)
    const lines = look.monitor === null ? undefined : await this.#burst(look.monitor.milliseconds)
    const before = [['SLOWLOG', 'GET', `${look.slow}`]]
    // INFO is the last, so that what it counts of us is what we have sent before it.
    const after = [
      ...(look.settings ? SETTINGS.map((name) => ['CONFIG', 'GET', name]) : []),
      ...(look.clients ? [['CLIENT', 'LIST']] : []),
      ...(look.info ? [['INFO', 'all']] : []),
    ]
    const [slow, window, answers] =
      look.window === null ? await this.#plainly(before, after) : await this.#throughWindow(before, look.window, after)
    const info = look.info ? answers.pop()! : undefined
    const clients = look.clients ? answers.pop()! : undefined
    if (typeof info === 'string') this.#hold = holdOf(info)
    return {
      at: this.#now(),
      slow,
      own: this.#own.until(this.#connection.bytesSent, this.#connection.bytesReceived),
      ...(info === undefined ? {} : { info }),
      ...(clients === undefined ? {} : { clients }),
      ...(look.settings ? { settings: answers } : {}),
      ...(window === undefined ? {} : { window }),
      ...(lines === undefined ? {} : { lines }),
    }
  }

  /** Everything borrowed is back, or is said to be not. */
  async close(): Promise<void> {
    try {
      if (this.#returned !== undefined) await this.#giveBack()
    } finally {
      this.#connection.close()
    }
  }

  async #giveBack(): Promise<void> {
    try {
      const connection = this.#connection.isOpen ? this.#connection : await this.#door.enter()
      const answer = await connection.ask(['CONFIG', 'SET', THRESHOLD, this.#threshold])
      if (connection !== this.#connection) connection.close()
      if (answer instanceof Refusal) throw new Unseen(answer.text)
      this.#returned?.()
    } catch (error) {
      if (!(error instanceof Unseen)) throw error
      throw new Unseen(
        `${this.#door.name}: ${THRESHOLD} may still be changed there from ${this.#threshold} (${error.message}); ` +
          'the next look puts it back',
      )
    }
  }

  async #plainly(before: string[][], after: string[][]): Promise<[Answer, undefined, Answer[]]> {
    const [slow, ...answers] = await this.#askAll([...before, ...after])
    return [slow!, undefined, answers]
  }

  /**
   * The server itself ends the window: what closes it is there already when it is opened. So it is as long as it should
   * be however busy, stopped or far away we are. It is not opened right after a question that takes the server longer:
   * those who come by the clock would be waiting then, and be more than they are.
   */
  async #throughWindow(before: string[][], sampling: Sampling, after: string[][]): Promise<[Answer, Answer, Answer[]]> {
    const { milliseconds, threshold, between, entries } = sampling
    const asking = ['CONFIG', 'GET', THRESHOLD]
    const [slow, now] = await this.#askAll([...before, asking])
    const ours = this.#returned === undefined ? threshold : between
    this.#borrow(setBySomebody(now!, ours) ?? (this.#threshold || threshold), between)
    await wait(CALM_MS)
    const opening = ['CONFIG', 'SET', THRESHOLD, '0']
    const closing = [asking, ['CONFIG', 'SET', THRESHOLD, between], ['SLOWLOG', 'GET', `${entries}`], ...after]
    const hold = this.#hold?.(milliseconds)
    const [opened, held, ...closed] =
      hold === undefined
        ? await this.#openFor(milliseconds, opening, closing)
        : await this.#askAll([opening, hold, ...closing])
    if (held instanceof Refusal) this.#hold = null
    const [then, , log, ...answers] = closed
    const made = opened instanceof Refusal ? between : '0'
    this.#borrow(setBySomebody(then!, made) ?? this.#threshold, between)
    if (!(opened instanceof Refusal)) this.#isTouched = true
    else if (!this.#isTouched) this.#forget()
    return [slow!, opened instanceof Refusal ? opened : log!, answers]
  }

  /** Where the server cannot be told to wait, we do. */
  async #openFor(milliseconds: number, opening: string[], closing: string[][]): Promise<Answer[]> {
    const [opened] = await this.#askAll([opening])
    await wait(milliseconds)
    return [opened!, null, ...(await this.#askAll(closing))]
  }

  /** We were not permitted to touch it: there is nothing to give back. */
  #forget(): void {
    this.#returned?.()
    this.#returned = undefined
  }

  /** Says on the disk what it is to be set back to, before it is touched; anew when somebody has set it meanwhile. */
  #borrow(threshold: string, between: string): void {
    if (this.#returned !== undefined && threshold === this.#threshold) return
    const [settings, made] = [{ [THRESHOLD]: threshold }, { [THRESHOLD]: ['0', between] }]
    this.#threshold = threshold
    this.#returned = borrow(this.#data, { tool: TOOL, target: this.#door.name, settings, made })
  }

  /** MONITOR on a connection that the server closes by itself: the order to do so is there before MONITOR is. */
  async #burst(milliseconds: number): Promise<string[]> {
    const hold = this.#hold?.(milliseconds)
    if (hold === undefined) return []
    const monitor = await this.#door.enter()
    try {
      const [, id] = await monitor.askAll([
        ['CLIENT', 'SETNAME', this.name],
        ['CLIENT', 'ID'],
      ])
      if (typeof id !== 'number') return []
      this.#own.send([['PING'], ['CLIENT', 'SETNAME'], ['CLIENT', 'ID'], ['MONITOR']])
      const lines: string[] = []
      monitor.listen((line) => lines.push(String(line)))
      const killed = this.#askAll([hold, ['CLIENT', 'KILL', 'ID', `${id}`]])
      await monitor.ask(['MONITOR'])
      await killed
      await monitor.closed
      return lines
    } finally {
      monitor.close()
    }
  }

  #askAll(commands: readonly (readonly string[])[]): Promise<Answer[]> {
    this.#own.send(commands)
    return this.#connection.askAll(commands, this.#answerMilliseconds)
  }

  #now(): number {
    return (performance.now() - this.#began) / 1000
  }

  async #until(at: number): Promise<void> {
    const left = at - this.#now()
    if (left > 0) await wait(left * 1000)
  }
}

/**
 * Says who we are, and that nobody else logs every command there: whoever began then would take what it is for a moment
 * for what the user has set. Those of other machines, users and data folders are known by nothing else.
 */
async function standAlone(connection: Connection, target: string, name: string): Promise<void> {
  const [, list] = await connection.askAll([
    ['CLIENT', 'SETNAME', name],
    ['CLIENT', 'LIST'],
  ])
  const clients = typeof list === 'string' ? readClients(list) : []
  const other = clients.find((one) => one.name !== name && LOGGING_NAME.test(one.name))
  if (other === undefined) return
  throw new Unseen(`${target}: fettle at ${other.address} logs every command there for moments; wait for it, or end it`)
}

/** Undefined: it is what we have made of it, or may not be asked for. */
function setBySomebody(answer: Answer, ours: string): string | undefined {
  const value = Array.isArray(answer) ? String(answer[1]) : undefined
  return value === ours ? undefined : value
}

/** Only where it still is what we had made of it: somebody may have changed it since. Nothing else is ever borrowed. */
async function giveBack(connection: Connection, { settings, made }: Borrowed): Promise<string[]> {
  const value = settings[THRESHOLD]
  const now = await connection.ask(['CONFIG', 'GET', THRESHOLD])
  const isOurs = Array.isArray(now) && made[THRESHOLD]?.includes(String(now[1])) === true
  if (value === undefined || !isOurs || now[1] === value) return []
  const answer = await connection.ask(['CONFIG', 'SET', THRESHOLD, value])
  return answer instanceof Refusal ? [] : [`${THRESHOLD} ${value}`]
}
