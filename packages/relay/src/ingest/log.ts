/**
 * coturn's verbose log (4.6.1 run; the lines of 4.5 to 4.17 differ only in what stands in front of them).
 *
 * A report that is lost leaves no trace in the other lines, so whatever may have been one is damage: its allocation, or
 * where nobody can tell which, every one that is open then, is a lower bound from then on (rule R40).
 */
import { type GapReason, gapReasons, Kind } from '../core/event.ts'
import { EventLine } from './log-event.ts'
import { type Fronted, readFront } from './log-front.ts'
import { KnownFronts } from './log-known.ts'
import { inOrder } from './log-time.ts'
import type { Recorder, RecordingKind } from './recorder.ts'

const WHO = 'realm=<(.*?)>, username=<(.*)>'
/** coturn takes no name with white space or quotes for a client's. Bytes above 127 are part of some letter. */
const NAME = String.raw`[^ \t\r\n'"\\]*`
const EVENT = /^session (\d{18,20}): (?:(new|refreshed), |(usage|peer usage|delete): )/
const TAILS: Readonly<Record<string, RegExp>> = {
  new: new RegExp(`^${WHO}, lifetime=(\\d+)(?:, cipher=([\\w.:+()-]*), method=([\\w./ -]*))?[ \\t\\r]*$`),
  usage: new RegExp(`^${WHO}, rp=(\\d+), rb=(\\d+), sp=(\\d+), sb=(\\d+)[ \\t\\r]*$`),
  delete: new RegExp(`^${WHO}[ \\t\\r]*$`),
}
const CLOSED = new RegExp(
  `^session (\\d{18,20}): closed \\([12]\\w\\w stage\\), user <(${NAME})> realm <(.*?)>` +
    '(?: origin <(.*)>, local ([^ ,<>]+), remote ([^ ,<>]+))?, reason: ([^<>]*)$',
)
/** An event anywhere in a line; a name with one in it is two lines in one, for it has white space. */
const WITHIN = /session \d{18,20}: (?:new|refreshed|usage|peer usage|delete)[,:]/
/** The event at the end of a line that is none: a line that ran into another one, or a name that looks like that. */
const LAST = new RegExp(
  `session (\\d{18,20}): (?:new, |refreshed, |usage: |peer usage: |delete: )realm=<(.*?)>, username=<(${NAME})>[^<>]*$`,
)
const DATE = String.raw`\d{4}-\d\d-\d\d[T ]\d\d:|[A-Z][a-z]{2} [ \d]\d \d\d:`
/** What can stand at the very beginning of a line. */
const FRONT = String.raw`${DATE}|\d{1,10}: |<\d{1,3}>|[\w.-]+ +\| `
/**
 * What an event's line may be when it breaks off before its name, at its end or where another line ran into it. (Of a
 * level, a place in the source and the word `session` a part may be left; ids of fewer digits are broken off as well.)
 */
const BEGUN = new RegExp(
  `^(?:s|se|ses|sess|sessi|sessio|session|session (?!\\d{18,20}:)\\d{0,20}|` +
    `session \\d{18,20}: ?[a-z ]{0,10}[,:]? ?r?e?a?l?m?)(?:$|(?=${FRONT}))` +
    `|^(?:I|IN|INF|INFO:?)?(?=${FRONT})|^[\\w./()-]{0,64}:?(?=${DATE})`,
)
/** What is left of an event when an allocation's id was taken for the seconds in front. */
const REST = /^(?:(?:new|refreshed), |(?:peer )?usage: |delete: )realm=</
/**
 * Of what has no front: the end of a report, or a line behind something that was not ended. coturn's other lines
 * without a front, such as its greeting, are like neither.
 */
const TORN = /(?:^|=)\d+$|session \d{18,20}: |\d\d:\d\d:\d\d/

/** What is remembered beyond a line; plain data, so that it can be kept with the place in the file. */
export interface LogMemory {
  /** Which boot each process is (rule R3), those that were heard last at the end. */
  processes: [name: string, boot: number][]
  boots: number
  /** How often all that was open had to be doubted in this file. */
  damages: number
  /** Nothing was heard since all was doubted. */
  isDoubted: boolean
  /** Until when all was read, milliseconds since the epoch; null while no line had a time. */
  readUntil: number | null
  /** What comes next is not what follows what was read, and that was not told yet. */
  lost: GapReason | null
  /** Of the fronts so far, and of the last line's if it was another. */
  form: string
  otherForm: string
}

/** Of a log of which nothing was read. */
export const newLogMemory = (readUntil: number | null = null): LogMemory => {
  return { processes: [], boots: 0, damages: 0, isDoubted: false, readUntil, lost: null, form: '', otherForm: '' }
}

const PROCESSES_MAX = 64
/** Each time every open allocation is looked at; a file that is damaged so often makes nothing exact any more. */
const DAMAGES_MAX = 1000

export class LogReader {
  readonly memory: LogMemory
  readonly #out: Recorder
  readonly #now: (() => number) | undefined
  readonly #fronts = new KnownFronts()
  readonly #event = new EventLine()
  #lastTime = Number.NaN
  /** A line had no time of its own. */
  isUndated = false
  /** The gap that was told last. */
  lastGap: { readonly why: GapReason; readonly ms: number } | undefined

  /**
   * `now`, milliseconds since the epoch, where the log is read while it is written: the time of lines that have none of
   * their own, and no line is of a later one.
   */
  constructor(out: Recorder, memory: LogMemory = newLogMemory(), now?: () => number) {
    this.#out = out
    this.memory = memory
    this.#now = now
  }

  /** Takes a line, `[start, end)` of the bytes. `seenAt`: when it was there to be read. */
  read(bytes: Buffer, start: number, end: number, isWhole: boolean, seenAt: number): void {
    const bodyAt = isWhole ? this.#fronts.find(bytes, start, end) : -1
    if (bodyAt < 0) return this.#readWhole(bytes, start, end, isWhole, seenAt)
    const { t, process, form } = this.#fronts
    if (!this.#isNew(t)) return
    const found = this.#event.read(bytes, bodyAt, end)
    if (found === 'unusual') {
      return this.#readBody({ t, process, form, body: bytes.toString('latin1', bodyAt, end) }, isWhole)
    }
    if (this.#isCut(form)) this.#doubtAll()
    else if (found === 'event') this.#tell(bytes, process)
  }

  /** What comes next does not follow what was read: a gap up to the next time that is known. */
  lose(why: GapReason): void {
    // Of a log of which nothing was read nothing is lost.
    if (this.memory.readUntil !== null) this.memory.lost ??= why
    this.#lastTime = Number.NaN
  }

  /** Nothing was written up to then. */
  pass(t: number): void {
    if (!(t < (this.memory.readUntil ?? 0))) this.#isNew(t)
  }

  /** What comes next stands in another file. */
  nextFile(): void {
    const { memory } = this
    // What was damaged beyond the limit was not told.
    if (memory.damages >= DAMAGES_MAX) this.#gap(memory.readUntil ?? Number.NaN, 'damage')
    memory.damages = 0
    memory.form = ''
    memory.otherForm = ''
  }

  #readWhole(bytes: Buffer, start: number, end: number, isWhole: boolean, seenAt: number): void {
    const line = bytes.toString('latin1', start, end)
    const front = readFront(line, seenAt)
    if (front === undefined) {
      if (TORN.test(line) || (!isWhole && /^(?:$|[\w<{])/.test(line))) this.#doubtAll()
      return
    }
    const { t, process, form, body } = front
    // Inside of JSON the body is another text, and a time that was cut at `seenAt` is no other line's.
    if (!line.startsWith('{') && t !== seenAt) this.#fronts.learn(bytes, start, end - body.length, { t, process, form })
    if (this.#isNew(t)) this.#readBody(front, isWhole)
  }

  #readBody(front: Fronted, isWhole: boolean): void {
    const { body } = front
    const event = EVENT.exec(body)
    if (this.#isCut(front.form)) this.#doubtAll()
    else if (event !== null) this.#readEvent(event, front, isWhole)
    else if (body.startsWith('session ') && this.#closed(front, isWhole)) return
    else this.#other(body, isWhole)
  }

  /** A front of another form is a part of a longer one, or of two; two lines with it are a log that has changed. */
  #isCut(form: string): boolean {
    const { memory } = this
    const isKnown = memory.form === '' || form === memory.form || form === memory.otherForm
    if (isKnown) memory.form = form
    memory.otherForm = isKnown ? '' : form
    return !isKnown
  }

  /** Sets the time of what follows. False: it was read before, or is lost in the gap that is told next. */
  #isNew(own: number): boolean {
    if (own === this.#lastTime) return true
    const t = this.#timeOf(own)
    if (!(t >= 0)) return true
    const { memory } = this
    if (memory.lost !== null) {
      // Of a line without a time nobody can say that it was read.
      if (t <= memory.readUntil! && !Number.isNaN(own)) return false
      this.#gap(t, memory.lost)
      this.lastGap = { why: memory.lost, ms: t - memory.readUntil! }
      memory.lost = null
    }
    this.#lastTime = own
    memory.readUntil = Math.max(memory.readUntil ?? t, t)
    this.#out.at(t)
    return true
  }

  #timeOf(own: number): number {
    const t = inOrder(Math.floor(own), this.memory.readUntil ?? Number.NaN)
    if (this.#now === undefined) return t
    this.isUndated ||= Number.isNaN(own)
    const now = this.#now()
    return t <= now ? t : now
  }

  #gap(ended: number, why: GapReason): void {
    this.#out.gap(this.memory.readUntil ?? Number.NaN, ended, gapReasons.indexOf(why))
  }

  #tell(bytes: Buffer, process: string): void {
    this.memory.isDoubted = false
    this.#out.boot(this.#bootOf(process))
    this.#out.event(bytes, this.#event)
    if (this.#event.kind !== Kind.deleted || this.memory.damages >= DAMAGES_MAX) return
    this.#event.kind = Kind.complete
    this.#out.event(bytes, this.#event)
  }

  #readEvent(event: RegExpExecArray, front: Fronted, isWhole: boolean): void {
    const [start, id, status, kind = status!] = event as unknown as [string, string, string?, string?]
    const tail = TAILS[kind === 'refreshed' ? 'new' : kind === 'peer usage' ? 'usage' : kind]!.exec(
      front.body.slice(start.length),
    )
    // A number may be broken off; a name that is closed is whole.
    const isRead = tail !== null && !WITHIN.test(`${tail[1]} ${tail[2]}`) && (isWhole || kind === 'delete')
    if (!isRead) return this.#doubtAll()
    this.memory.isDoubted = false
    this.#out.boot(this.#bootOf(front.process))
    this.#tellText(kind, id, tail as unknown as string[])
  }

  /** The same as coturn would have published; only a log can add that nothing is missing. */
  #tellText(kind: string, id: string, tail: readonly string[]): void {
    const [, realm, username, ...numbers] = tail
    const path = pathOf(realm!, username!, id)
    const publish = (channel: string, message: string) => this.#out.publish(bytes(`${path}/${channel}`), bytes(message))
    if (kind === 'new' || kind === 'refreshed') return publish('status', `${kind} lifetime=${numbers[0]}`)
    if (kind === 'delete') {
      publish('status', 'deleted')
      if (this.memory.damages < DAMAGES_MAX) this.#out.complete(bytes(path))
      return
    }
    const [rp, rb, sp, sb] = numbers
    publish(kind === 'usage' ? 'traffic' : 'traffic/peer', `rcvp=${rp}, rcvb=${rb}, sentp=${sp}, sentb=${sb}`)
  }

  #closed({ body, process }: Fronted, isWhole: boolean): boolean {
    const match = CLOSED.exec(body)
    if (match === null || !isWhole || WITHIN.test(match[4] ?? '')) return false
    const [, id, username, realm, origin = '', local, remote, reason] = match
    const addresses = local === undefined ? '' : `local=${local}, remote=${remote}, `
    this.#out.boot(this.#bootOf(process))
    const text = `closed ${addresses}reason=${reason!.trimEnd()}, origin=${origin}`
    this.#out.closing(bytes(pathOf(realm!, username!, id!)), bytes(text))
    return true
  }

  /**
   * A line of another kind may hold what a client chose, so what looks like an event in it may be forged, or be a line
   * that ran into this one. It counts nothing, but makes that one allocation doubtful.
   */
  #other(body: string, isWhole: boolean): void {
    const last = WITHIN.test(body) ? LAST.exec(body) : null
    if (last !== null) {
      for (const { 1: boot } of [['', 0] as const, ...this.memory.processes]) {
        this.#out.boot(boot)
        this.#out.damaged(bytes(pathOf(last[2]!, last[3]!, last[1]!)))
      }
    }
    if (BEGUN.test(body) || REST.test(body) || (!isWhole && WITHIN.test(body))) this.#doubtAll()
  }

  /** Whichever allocation it was of, it may have been a report. */
  #doubtAll(): void {
    const { memory } = this
    this.#out.unreadable()
    if (memory.isDoubted) return
    memory.isDoubted = true
    if (memory.damages >= DAMAGES_MAX) return
    memory.damages++
    this.#gap(memory.readUntil ?? Number.NaN, 'damage')
  }

  /** What the front says of the process; without that all is one boot. */
  #bootOf(process: string): number {
    if (process === '') return 0
    const { memory } = this
    const at = memory.processes.findLastIndex(([name]) => name === process)
    if (at >= 0) return memory.processes[at]![1]
    if (memory.processes.length >= PROCESSES_MAX) memory.processes.shift()
    memory.processes.push([process, ++memory.boots])
    return memory.boots
  }
}

const bytes = (text: string) => Buffer.from(text, 'latin1')
const pathOf = (realm: string, username: string, id: string) =>
  realm === '' ? `turn/user/${username}/allocation/${id}` : `turn/realm/${realm}/user/${username}/allocation/${id}`

export const logKind: RecordingKind = {
  name: 'coturn log',
  lacks: 'coturn logs them only with verbose in its turnserver.conf (or -v)',
  bootAware: false,
  detect: (lines) =>
    lines.some((text) => {
      const body = readFront(text, Date.now())?.body
      return (
        body !== undefined && /^(?:session \d{18,20}: |Listener address to use:|IO method|Coturn Version)/.test(body)
      )
    }) || lines.some((text) => /^Version Coturn-/.test(text)),
  reader: () => {
    let reader: LogReader | undefined
    return {
      read(bytes, start, end, out, isWhole, seenAt) {
        reader ??= new LogReader(out)
        reader.read(bytes, start, end, isWhole, seenAt)
      },
      nextFile: () => reader?.nextFile(),
    }
  },
}
