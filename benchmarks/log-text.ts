/** A verbose log of coturn's as long as asked for, of calls as video calls are; the same bytes each time. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'

export interface Written {
  readonly bytes: number
  readonly lines: number
  /** What all usage lines of clients add up to, in bytes. */
  readonly received: number
  readonly sent: number
}

const LIVE = 1000
const START = Date.UTC(2026, 10, 20)
const REALM = 'example.org'

interface Call {
  readonly id: string
  readonly user: string
  reports: number
}

/** Lines of one turn of the calls, in the form of coturn 4.6.1 with new-log-timestamp. */
class Log {
  readonly #calls: (Call | undefined)[] = Array(LIVE).fill(undefined)
  #opened = 0
  #turn = 0
  lines = 0
  received = 0
  sent = 0

  next(): string {
    const at = this.#turn++ % LIVE
    const call = this.#calls[at]
    const texts = call === undefined ? this.#open(at) : call.reports-- > 0 ? this.#report(call) : this.#close(at, call)
    const front = `${new Date(START + this.#turn * 3).toISOString().slice(0, 19)}+0000: `
    this.lines += texts.length
    return texts.map((text) => `${front}${text}\n`).join('')
  }

  #open(at: number): string[] {
    const n = ++this.#opened
    const call = {
      id: String((n % 4) * 1e15 + n).padStart(18, '0'),
      user: `1795446124:desk-${n % 500}_acct${n % 37}`,
      reports: 40 + ((n * 7) % 40),
    }
    this.#calls[at] = call
    return [
      `session ${call.id}: realm <${REALM}> user <>: incoming packet message processed, error 401: Unauthorized`,
      'IPv4. Local relay addr: 192.0.2.1:25784',
      `session ${call.id}: new, ${who(call)}, lifetime=600`,
      `session ${call.id}: realm <${REALM}> user <${call.user}>: incoming packet ALLOCATE processed, success`,
      `session ${call.id}: peer 192.0.2.9:25804 lifetime updated: 600`,
      `session ${call.id}: realm <${REALM}> user <${call.user}>: incoming packet CHANNEL_BIND processed, success`,
    ]
  }

  #report(call: Call): string[] {
    const refreshed = [
      `session ${call.id}: refreshed, ${who(call)}, lifetime=600`,
      `session ${call.id}: realm <${REALM}> user <${call.user}>: incoming packet REFRESH processed, success`,
    ]
    const usage = this.#usage(call, 120_000 + (this.#turn % 1000), 98_123)
    return call.reports % 50 === 3 ? [...refreshed, ...usage] : usage
  }

  #close(at: number, call: Call): string[] {
    this.#calls[at] = undefined
    const ends = 'local 192.0.2.1:3478, remote 198.51.100.7:5000, reason: allocation timeout'
    return [
      ...this.#usage(call, 12_000, 9000),
      `session ${call.id}: closed (2nd stage), user <${call.user}> realm <${REALM}> origin <>, ${ends}`,
      `session ${call.id}: delete: ${who(call)}`,
    ]
  }

  #usage(call: Call, received: number, sent: number): string[] {
    this.received += received
    this.sent += sent
    return [
      `session ${call.id}: usage: ${who(call)}, rp=1024, rb=${received}, sp=1024, sb=${sent}`,
      `session ${call.id}: peer usage: ${who(call)}, rp=1024, rb=95123, sp=1024, sb=110000`,
    ]
  }
}

const who = ({ user }: Call) => `realm=<${REALM}>, username=<${user}>`

export async function writeLog(file: string, atLeast: number): Promise<Written> {
  const log = new Log()
  const out = createWriteStream(file)
  let bytes = 0
  while (bytes < atLeast) {
    const text = Array.from({ length: 1000 }, () => log.next()).join('')
    bytes += text.length
    if (!out.write(text)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'close')
  return { bytes, lines: log.lines, received: log.received, sent: log.sent }
}
