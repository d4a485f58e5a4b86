/**
 * A DNS server that answers as it is told, over UDP and TCP. Run by itself: its arguments are the address and the folder
 * with its rules, in `dns.json`; what it was asked is a line each in `dns.log`.
 */
import { createSocket } from 'node:dgram'
import { appendFileSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { NXDOMAIN, type Question, readQuery, type TypeName, writeAnswer } from './dns.ts'

/** What becomes of some questions; the first rule that fits is taken. */
export interface Rule {
  /** Whose: every name, if left out; '*.example' takes those below it. */
  readonly name?: string
  readonly type?: TypeName
  /** Which machine asks. */
  readonly from?: 'client' | 'server'
  /** What is answered: records' data, or that there is no such name, or nothing at all. Left out: as without a rule. */
  readonly answer?: readonly string[] | 'nxdomain' | 'drop'
  readonly delayMs?: number
}

export interface Zone {
  readonly rules: readonly Rule[]
  /** Data by "type name"; a name that has any record exists. */
  readonly records: Readonly<Record<string, readonly string[]>>
  /** The client's address; all others are the server. */
  readonly client: string
}

export interface Query {
  readonly from: 'client' | 'server'
  readonly type: string
  readonly name: string
}

const isOf = (pattern: string, name: string) =>
  pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : pattern === name

function fits({ name, type, from }: Rule, question: Question, asker: Query['from']): boolean {
  if (name !== undefined && !isOf(name, question.name)) return false
  return (type ?? question.type) === question.type && (from ?? asker) === asker
}

/** The answer and when; no answer at all where there is no first. */
function decide(zone: Zone, question: Question, asker: Query['from']): [Buffer | undefined, number] {
  const { answer, delayMs = 0 } = zone.rules.find((rule) => fits(rule, question, asker)) ?? {}
  if (answer === 'drop') return [undefined, 0]
  if (answer === 'nxdomain') return [writeAnswer(question, [], NXDOMAIN), delayMs]
  const data = answer ?? zone.records[`${question.type} ${question.name}`]
  const isThere = data !== undefined || Object.keys(zone.records).some((key) => key.endsWith(` ${question.name}`))
  return [writeAnswer(question, data ?? [], isThere ? 0 : NXDOMAIN), delayMs]
}

function serve(address: string, folder: string): void {
  const asked = (bytes: Buffer, from: string, send: (answer: Buffer) => void) => {
    const question = readQuery(bytes)
    if (question === undefined) return
    // Read anew each time: a test changes it while this runs.
    const zone = JSON.parse(readFileSync(join(folder, 'dns.json'), 'utf8')) as Zone
    const asker = from === zone.client ? 'client' : 'server'
    appendFileSync(join(folder, 'dns.log'), `${asker} ${question.type} ${question.name}\n`)
    const [answer, delayMs] = decide(zone, question, asker)
    if (answer !== undefined) setTimeout(send, delayMs, answer)
  }
  const udp = createSocket('udp4')
  udp.on('message', (bytes, { address: from, port }) => {
    asked(bytes, from, (answer) => udp.send(answer, port, from))
  })
  const tcp = createServer((socket) => {
    let read = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      read = Buffer.concat([read, bytes])
      if (read.length < 2 || read.length < 2 + read.readUInt16BE(0)) return
      asked(read.subarray(2), socket.remoteAddress ?? '', (answer) => {
        const length = Buffer.alloc(2)
        length.writeUInt16BE(answer.length)
        socket.end(Buffer.concat([length, answer]))
      })
    })
  })
  udp.bind(53, address, () => tcp.listen(53, address, () => console.log('listening')))
}

const [address, folder] = process.argv.slice(2)
if (import.meta.main && address !== undefined && folder !== undefined) serve(address, folder)
