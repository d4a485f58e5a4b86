import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Table } from '../src/core/table.ts'
import { BIN_MS, type LastHour, Throughput } from '../src/core/throughput.ts'
import { Rig, START } from './api-rig.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const sum = (bytes: Float64Array) => bytes.reduce((all, one) => all + one, 0)
const chartAt = ({ state, now }: Rig) => state.throughput.read(state.table, START, now)
/** What a reader of the chart sees: what was reported, and what is expected on top. */
const line = ({ reported, awaited }: LastHour) => reported.received.map((one, i) => one + awaited.received[i]!)
/** A minute of a call in which the client sends 1 Mbit/s and gets half of it. */
const REPORT = [2000, 7_500_000, 1000, 3_750_000] as const
const MINUTE_BIN = (7_500_000 / MINUTE) * BIN_MS

function assertLevel(bytes: Float64Array, level: number, why: string): void {
  for (const one of bytes) assert.ok(Math.abs(one - level) < 1e-6 * level + 1e-6, `${why}: ${bytes.join()}`)
}

test('a report is laid out evenly over its time, and no byte is added or lost', () => {
  const report = fc.record({ from: fc.nat(HOUR / 2), ms: fc.integer({ min: 1, max: HOUR / 2 }), bytes: fc.nat(1e9) })
  fc.assert(
    fc.property(fc.array(report, { maxLength: 20 }), (reports) => {
      const throughput = new Throughput()
      const inOrder = reports.toSorted((a, b) => a.from + a.ms - b.from - b.ms)
      for (const { from, ms, bytes } of inOrder) throughput.add(START + from, START + from + ms, bytes, 2 * bytes)
      const { reported } = throughput.read(new Table(), START, START + HOUR + BIN_MS - 1)
      const bytes = reports.reduce((all, one) => all + one.bytes, 0)
      assert.ok(Math.abs(sum(reported.received) - bytes) <= 1e-9 * bytes)
      assert.ok(Math.abs(sum(reported.sent) - 2 * bytes) <= 2e-9 * bytes)
    }),
  )
})

test('an hour is kept, whatever was before and however long nothing came', () => {
  const throughput = new Throughput()
  throughput.add(START, START + 3 * HOUR, 3 * 720, 0)
  assertLevel(throughput.read(new Table(), START, START + 3 * HOUR).reported.received, 1, 'an hour of it')
  const later = throughput.read(new Table(), START, START + 5 * HOUR).reported.received
  assert.equal(later.length, 720)
  assertLevel(later, 0, 'two hours later')
})

test('a call that reports once a minute is a steady line, from its first report on back to its start', (context) => {
  const rig = new Rig(context)
  const path = rig.open('1:alice')
  rig.pass(MINUTE - 1)
  assertLevel(line(chartAt(rig)), 0, 'nothing was reported yet')
  rig.pass(1)
  for (let minute = 0; minute < 5; minute++) {
    rig.report(path, REPORT)
    for (let i = 0; i < 12; i++) {
      assertLevel(line(chartAt(rig)), MINUTE_BIN, `minute ${minute}, ${i}`)
      rig.pass(BIN_MS)
    }
  }
  const { reported, awaited } = chartAt(rig)
  assert.equal(Math.round(sum(reported.received)), 5 * 7_500_000)
  assert.equal(
    awaited.received.findIndex((one) => one > 0),
    5 * 12,
    'what was reported is not estimated',
  )
})

test('a call that ends lets the line fall at once', (context) => {
  const rig = new Rig(context)
  const path = rig.open('1:alice')
  rig.pass(MINUTE)
  rig.report(path, REPORT)
  rig.pass(MINUTE / 2)
  rig.report(path, [1000, 3_750_000, 500, 1_875_000])
  rig.close(path, [3000, 11_250_000, 1500, 5_625_000])
  rig.pass(4 * BIN_MS)
  const { reported, awaited } = chartAt(rig)
  assertLevel(reported.received.subarray(0, 18), MINUTE_BIN, 'while it lasted')
  assertLevel(reported.received.subarray(18), 0, 'after it')
  assertLevel(awaited.received, 0, 'nothing is to come')
})

test('of a call that falls silent never more is expected than one report', (context) => {
  const rig = new Rig(context)
  const path = rig.open('1:alice')
  rig.pass(500)
  rig.report(path, REPORT)
  for (let i = 0; i < 100; i++) {
    rig.pass(BIN_MS)
    assert.ok(sum(chartAt(rig).awaited.received) <= 7_500_001)
  }
})

test('bytes of a time that nobody knows are in no chart', (context) => {
  const rig = new Rig(context)
  // Its `new` was missed: reports of a minute come at once, and so does a total of hours.
  const [path, other] = [rig.open('1:alice'), rig.open('1:bob')].map((one) =>
    one.replace('/allocation/0', '/allocation/1'),
  )
  rig.tell(path!, 'status', 'refreshed lifetime=600')
  rig.pass(BIN_MS)
  rig.report(path!, REPORT)
  rig.close(other!, [1e6, 1e12, 1e6, 1e12])
  rig.pass(BIN_MS)
  assertLevel(chartAt(rig).reported.received, 0, 'first of an unknown call')
  rig.pass(MINUTE - BIN_MS)
  rig.report(path!, REPORT)
  assert.equal(Math.round(sum(chartAt(rig).reported.received)), 7_500_000)
})
