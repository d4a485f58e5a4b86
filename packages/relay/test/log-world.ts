/** Logs of calls whose sums are known, damaged in known ways, and what fettle makes of them. */
import fc from 'fast-check'
import { finishRecording, fold } from '../src/core/allocation.ts'
import type { AllocationRecord, Counters } from '../src/core/record.ts'
import { restore } from '../src/core/restore.ts'
import { DEFAULT_TEMPLATE, readTemplate, type Template } from '../src/core/session.ts'
import { createState, take } from '../src/core/state.ts'
import { Lines } from '../src/ingest/lines.ts'
import { logKind } from '../src/ingest/log.ts'
import { Recorder } from '../src/ingest/recorder.ts'
import { Ledger, openDatabase } from '../src/store/ledger.ts'
import { readSessions } from '../src/store/sessions.ts'

const template = readTemplate(DEFAULT_TEMPLATE) as Template

/** What a log comes to, read in pieces of these sizes, over and over. */
export function recordsOf(log: Buffer, pieces: readonly number[]): AllocationRecord[] {
  const ledger = new Ledger(openDatabase(':memory:'), { template, lingerMs: 30_000 })
  const saved = ledger.restore([{ source: 'recording', name: 'log', bootAware: false, version: null }])
  const state = createState()
  restore(state, saved)
  const recorder = new Recorder(saved.streams[0]!.id, (batch) => fold(state, batch))
  const { read } = logKind.reader()
  const lines = new Lines((bytes, start, end, isWhole) => read(bytes, start, end, recorder, isWhole, Date.now()))
  for (let at = 0, i = 0; at < log.length; i++) {
    const to = at + pieces[i % pieces.length]!
    lines.feed(log.subarray(at, to))
    at = to
  }
  lines.end()
  recorder.flush()
  finishRecording(state)
  ledger.commit(take(state))
  const records = Array.from(readSessions(ledger.db)).flat()
  ledger.close()
  return records.flatMap(({ allocations }) => allocations)
}

/** The eight counters as a log writes them: rp, rb, sp, sb of the client, then of the peer. */
export const eight = (client: Counters, peer: Counters | null): number[] =>
  [client, peer].flatMap((side) =>
    side === null ? [0, 0, 0, 0] : [side.receivedPackets, side.receivedBytes, side.sentPackets, side.sentBytes],
  )

/** An allocation as it was. */
export interface Call {
  readonly process: number
  readonly id: string
  readonly user: string
  readonly lines: readonly string[]
  readonly sums: readonly number[]
}

type Front = (process: number, second: number) => string
const iso = (second: number) => new Date(Date.parse('2026-11-22T10:00:00Z') + second * 1000).toISOString().slice(0, 19)
/** Fronts; `tells`: whether they tell processes apart. */
export const fronts: readonly { readonly tells: boolean; readonly front: Front }[] = [
  { tells: false, front: (_, second) => `${iso(second)}+0000: ` },
  { tells: false, front: (_, second) => `${iso(second)}.123+0000 INFO ` },
  { tells: false, front: (_, second) => `${iso(second)}+0000(97): INFO: ` },
  { tells: true, front: (process, second) => `${iso(second)}+0000 relay turnserver[${process}]: ${second}: ` },
  {
    tells: true,
    front: (process, second) => `Nov 22 ${iso(second).slice(11)} relay turnserver[${process}]: ${second}: `,
  },
]

const report = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 8, maxLength: 8 })

/** One to six allocations; where processes can be told apart they may have the same path at the same time. */
export const calls = (tells: boolean): fc.Arbitrary<Call[]> =>
  fc
    .array(fc.record({ process: fc.nat(1), reports: fc.array(report, { minLength: 1, maxLength: 4 }) }), {
      minLength: 1,
      maxLength: 6,
    })
    .map((all) => all.map(({ process, reports }, i) => callOf(tells ? process : 0, i, reports, tells)))

function callOf(process: number, nth: number, reports: readonly number[][], tells: boolean): Call {
  const id = String(tells ? Math.floor(nth / 2) + 1 : nth + 1).padStart(18, '0')
  const user = tells ? 'ann' : `user${nth}`
  const who = `realm=<r>, username=<${user}>`
  const sums = [0, 0, 0, 0, 0, 0, 0, 0]
  const lines = [`session ${id}: new, ${who}, lifetime=600`]
  for (const numbers of reports) {
    numbers.forEach((number, k) => {
      sums[k]! += number
    })
    const four = (k: number) => `rp=${numbers[k]}, rb=${numbers[k + 1]}, sp=${numbers[k + 2]}, sb=${numbers[k + 3]}`
    lines.push(`session ${id}: usage: ${who}, ${four(0)}`, `session ${id}: peer usage: ${who}, ${four(4)}`)
    lines.push(`session ${id}: realm <r> user <${user}>: incoming packet REFRESH processed, success`)
  }
  const ends = 'local 192.0.2.1:3478, remote 192.0.2.2:4, reason: allocation timeout'
  lines.push(`session ${id}: closed (2nd stage), user <${user}> realm <r> origin <>, ${ends}`)
  lines.push(`session ${id}: delete: ${who}`)
  return { process, id, user, lines, sums }
}

/** The lines of all calls, each call's own in order; `order` says whose line comes next. Calls of one path follow. */
export function interleave(all: readonly Call[], front: Front, order: readonly number[]): string[] {
  const waiting = all.map((call) => ({ call, at: 0 }))
  const path = ({ process, id, user }: Call) => `${process} ${user} ${id}`
  const out: string[] = []
  for (let i = 0; ; i++) {
    const left = waiting.filter(({ call, at }) => at < call.lines.length)
    if (left.length === 0) return out
    const free = left.filter((one, k) => !left.slice(0, k).some((other) => path(other.call) === path(one.call)))
    const one = free[order[i % order.length]! % free.length]!
    out.push(front(one.call.process, out.length) + one.call.lines[one.at++]!)
  }
}
