// The thread of a load: sends what `workerData` says, counts what is answered, and tells when it is asked.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import type { Answer, Count, Given, LoadClient, Order, Step, Words } from './load.ts'
import { Replies } from './replies.ts'

const { host, port, load } = workerData as Given
const AGAIN_MS = 50
const TICK_MS = 2
/** What has waited this long is not made up for: a burst would be another load. */
const LATE_MS = 250
/** So many answers are kept in the list of those that are waited for. */
const ANSWERED_MAX = 1000
/** Whoever is not answered sends no more than so many times. */
const UNANSWERED_MAX = 2

const counts = new Map<string, { -readonly [K in keyof Count]: Count[K] }>()
const open = new Set<Line>()
const timers: NodeJS.Timeout[] = []
let errors = 0
let isStopping = false

const PLACE = /\{(\*?)(\d+)\}/g
const filler = (bytes: number) => 'x'.repeat(bytes)
const numberBelow = (most: number) => String(Math.floor(Math.random() * most))

function encode(commands: readonly Words[], cursor: string): string {
  return commands.map((words) => encodeOne(words, cursor)).join('')
}

function encodeOne(words: Words, cursor: string): string {
  const parts = words.map((word) => {
    const text = word.includes('{') ? filled(word, cursor) : word
    return `$${Buffer.byteLength(text)}\r\n${text}\r\n`
  })
  return `*${words.length}\r\n${parts.join('')}`
}

function filled(word: string, cursor: string): string {
  return word
    .replace('{cursor}', cursor)
    .replaceAll(PLACE, (_, star, number) => (star === '*' ? filler(Number(number)) : numberBelow(Number(number))))
}

/** The word that a command is counted under: its first key, or what SCAN looks for. */
function keyWord(words: Words): string {
  const name = words[0]!.toLowerCase()
  if (/^(?:multi|exec|publish)$/.test(name)) return ''
  const mark = words.findIndex((word) => /^(?:match|streams)$/i.test(word))
  if (mark >= 0) return words[mark + 1]!
  return words[/^(?:eval|evalsha|fcall)$/.test(name) ? 3 : 1] ?? ''
}

/** The count of a command of this client; one that is new begins. */
function countOf(client: string, words: Words) {
  const keys = keyWord(words).replaceAll(PLACE, '*').replaceAll(/\*+/g, '*')
  const count = { command: words[0]!.toLowerCase(), keys, client, calls: 0 }
  const name = JSON.stringify([count.command, keys, client])
  const known = counts.get(name)
  if (known === undefined) counts.set(name, count)
  return known ?? count
}

type Counting = ReturnType<typeof countOf>
/** What is sent at once, and what its answers count for. */
interface Plan {
  readonly weight: number
  readonly commands: readonly Words[]
  readonly counting: readonly Counting[]
}

/** A connection; one that is lost comes again. */
class Line {
  readonly #client: LoadClient
  readonly #answered: (line: Line) => void
  readonly #replies: Replies
  #socket: Socket | undefined
  /** What is waited for, in order; null is not counted. */
  #waiting: (Counting | null)[] = []
  #next = 0

  constructor(client: LoadClient, answered: (line: Line) => void) {
    this.#client = client
    this.#answered = answered
    const wantsCursor = (client.steps ?? []).some(({ commands }) => commands.flat().includes('{cursor}'))
    this.#replies = new Replies(wantsCursor)
    this.#replies.first = '0'
  }

  get waits(): number {
    return this.#waiting.length - this.#next
  }

  async open(): Promise<void> {
    const socket = connect({ host, port, noDelay: true })
    this.#socket = socket
    open.add(this)
    socket.on('error', () => {})
    socket.once('close', () => this.#closed(socket))
    if (this.#client.isDeaf === undefined) socket.on('data', (chunk) => this.#take(chunk))
    await Promise.race([once(socket, 'connect'), once(socket, 'close')])
    const { name, first: more = [] } = this.#client
    const first = [...(name === '' ? [] : [['CLIENT', 'SETNAME', name]]), ...more]
    this.#waiting = first.map(() => null)
    this.#next = 0
    if (first.length > 0) socket.write(encode(first, ''))
  }

  send({ commands, counting }: Plan, times = 1): void {
    if (this.#socket?.writable !== true) return
    let text = ''
    for (let i = 0; i < times; i++) {
      text += encode(commands, this.#replies.first)
      this.#waiting.push(...counting)
    }
    this.#socket.write(text)
  }

  close(): void {
    this.#socket?.destroy()
  }

  #take(chunk: Buffer): void {
    const before = this.#replies.errors
    const whole = this.#replies.take(chunk)
    errors += this.#replies.errors - before
    for (let i = 0; i < whole && this.#next < this.#waiting.length; i++) {
      const counting = this.#waiting[this.#next++]
      if (counting != null) counting.calls++
    }
    if (this.#next > ANSWERED_MAX) {
      this.#waiting = this.#waiting.slice(this.#next)
      this.#next = 0
    }
    this.#answered(this)
  }

  #closed(socket: Socket): void {
    if (socket !== this.#socket) return
    open.delete(this)
    if (!isStopping && this.#client.isFresh === undefined) setTimeout(() => this.open(), AGAIN_MS)
  }
}

function planOf(client: LoadClient, { weight, commands }: Step): Plan {
  return { weight, commands, counting: commands.map((words) => countOf(client.name, words)) }
}

function chooser(plans: readonly Plan[]): () => Plan {
  const sum = plans.reduce((all, { weight }) => all + weight, 0)
  return () => {
    let at = Math.random() * sum
    for (const plan of plans) {
      at -= plan.weight
      if (at < 0) return plan
    }
    return plans[0]!
  }
}

async function start(client: LoadClient): Promise<void> {
  const { pace, connections = 1 } = client
  const choose = chooser((client.steps ?? []).map((one) => planOf(client, one)))
  const inFlight = pace !== undefined && 'inFlight' in pace ? pace.inFlight : 0
  const refill = (line: Line) => {
    if (inFlight > 0 && line.waits < inFlight) line.send(choose(), 1)
  }
  const lines = client.isFresh ? [] : Array.from({ length: connections }, () => new Line(client, refill))
  await Promise.all(lines.map((line) => line.open()))
  if (pace === undefined || 'inFlight' in pace) return
  const sendTo = client.isFresh ? () => sendFresh(client, choose()) : sender(lines, choose)
  byClock(pace.perSecond, pace.batch ?? 1, sendTo)
}

/** To one line after the other. */
function sender(lines: readonly Line[], choose: () => Plan): (times: number) => void {
  let turn = 0
  return (times) => {
    const line = lines[turn++ % lines.length]!
    const plan = choose()
    if (line.waits < UNANSWERED_MAX * times * plan.commands.length) line.send(plan, times)
  }
}

/** On a connection of its own, which is closed when all is answered. */
async function sendFresh(client: LoadClient, plan: Plan): Promise<void> {
  const line = new Line(client, (one) => {
    if (one.waits === 0) one.close()
  })
  await line.open()
  line.send(plan)
}

function byClock(perSecond: number, batch: number, send: (times: number) => unknown): void {
  const everyMs = (1000 * batch) / perSecond
  let due = performance.now()
  const timer = setInterval(
    () => {
      const now = performance.now()
      due = Math.max(due, now - LATE_MS)
      for (; due <= now; due += everyMs) send(batch)
    },
    Math.max(TICK_MS, Math.floor(everyMs / 2)),
  )
  timers.push(timer)
}

/** One after the other; what the server refuses ends the test. */
async function seed(commands: readonly Words[]): Promise<void> {
  const socket = connect({ host, port, noDelay: true })
  const replies = new Replies(false)
  await once(socket, 'connect')
  for (const words of commands) {
    socket.write(encodeOne(words, ''))
    for (let whole = 0; whole === 0; ) {
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      whole = replies.take(chunk)
      if (replies.errors > 0) throw new Error(`${words.join(' ').slice(0, 200)}: ${chunk.toString('latin1', 0, 200)}`)
    }
  }
  socket.destroy()
}

async function stop(): Promise<void> {
  isStopping = true
  for (const timer of timers) clearInterval(timer)
  for (const line of open) line.close()
  while (open.size > 0) await new Promise((resolve) => setTimeout(resolve, 5))
}

const tell = () => {
  const answer: Answer = { counts: Array.from(counts.values(), (one) => ({ ...one })), errors }
  parentPort!.postMessage(answer)
}

parentPort!.on('message', async (order: Order) => {
  if (order === 'mark') {
    for (const count of counts.values()) count.calls = 0
    errors = 0
  }
  if (order === 'stop') await stop()
  tell()
})

await seed(load.seed)
await Promise.all(load.clients.map(start))
tell()
