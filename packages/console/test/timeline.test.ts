import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SessionDetail } from '@fettle/relay/api'
import { BUCKET_MS, barsOf } from '../src/sessions/timeline.ts'

type Entry = SessionDetail['timeline'][number]

function entry(minutes: number | null, received: number, more: Partial<Entry> = {}): Entry {
  const counters = { receivedBytes: received, receivedPackets: 1, sentBytes: 1, sentPackets: 1 }
  const at = minutes === null ? null : new Date(Date.UTC(2026, 0, 1, 0, minutes)).toISOString()
  return { at, allocation: '001', side: 'client', late: false, counters, ...more }
}

test('buckets of all allocations are added up, empty ones between them are bars of nothing', () => {
  const { bars, widthMs, late } = barsOf([
    entry(15, 3),
    entry(0, 1),
    entry(0, 10, { allocation: '002' }),
    entry(0, 99, { side: 'peer' }),
  ])
  assert.deepEqual(
    bars.map(({ at, received, sent }) => [(at - Date.UTC(2026, 0, 1)) / 60_000, received, sent]),
    [
      [0, 11, 2],
      [5, 0, 0],
      [10, 0, 0],
      [15, 3, 1],
    ],
  )
  assert.deepEqual([widthMs, late], [BUCKET_MS, 0])
})

test('what came late or without a time is in no bar, and is told', () => {
  const { bars, late } = barsOf([entry(0, 5), entry(5, 7, { late: true }), entry(null, 2)])
  assert.equal(bars.length, 1)
  assert.equal(late, 8 + 3)
})

test('nothing was used, nothing is drawn', () => {
  assert.deepEqual(barsOf([]).bars, [])
})

test('bars of a long session hold several buckets each, and no byte is lost', () => {
  const { bars, widthMs } = barsOf(Array.from({ length: 1000 }, (_, i) => entry(i * 5, 2)))
  assert.equal(widthMs, 4 * BUCKET_MS)
  assert.equal(bars.length, 250)
  assert.equal(
    bars.reduce((sum, { received }) => sum + received, 0),
    2000,
  )
})
