import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { linesOf } from '../src/chart/line.ts'
import { chart } from './made.ts'

const from = '2026-01-01T13:00:00.000Z'
/** As long as a point of the line. */
const stepSeconds = 15

test('where all is reported there is one line, in the middle of each time', () => {
  const { times, received, sent, provisionalFrom } = linesOf(chart(from, [10, 20], { stepSeconds }))
  assert.deepEqual(
    times.map((at) => at - Date.parse(from) / 1000),
    [7.5, 22.5],
  )
  assert.deepEqual(received, { reported: [10, 20], known: [10, 20], provisional: [null, 20] })
  assert.deepEqual(sent.known, [5, 10])
  assert.equal(provisionalFrom, 2)
})

test('the line is provisional from where reports are awaited, and hangs together', () => {
  const awaited = { receivedAwaited: [0, 1, 50, 100], sentAwaited: [0, 0, 25, 50] }
  const { received, sent, provisionalFrom } = linesOf(chart(from, [100, 100, 50, 0], { stepSeconds, ...awaited }))
  assert.deepEqual(received, {
    reported: [100, 100, 50, 0],
    known: [100, 101, null, null],
    provisional: [null, 101, 100, 100],
  })
  assert.deepEqual(sent.provisional, [null, 50, 50, 50])
  assert.equal(provisionalFrom, 2)
})

test('a point is the average of 15 seconds, the same ones wherever the chart begins', () => {
  const { times, received } = linesOf(chart('2026-01-01T13:00:10.000Z', [9, 1, 2, 3, 4]))
  assert.deepEqual(received.known, [9, 2, 4])
  assert.deepEqual(
    times.map((at) => at - Date.parse(from) / 1000),
    [12.5, 22.5, 32.5],
  )
})

test('no byte is lost or added on the way to the line', () => {
  fc.assert(
    fc.property(fc.nat(2), fc.array(fc.nat(1e9), { maxLength: 40 }), (offset, received) => {
      const at = Date.parse(from) / 1000 + offset * 5
      const { times, received: line } = linesOf(chart(new Date(at * 1000).toISOString(), received))
      let begin = at
      const areas = line.reported.map((height, i) => {
        // From the middle of a point and its beginning follows how long it is.
        const seconds = (times[i]! - begin) * 2
        begin += seconds
        return height * seconds
      })
      const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0)
      assert.ok(Math.abs(sum(areas) - sum(received) * 5) <= 1e-6 * sum(received))
    }),
  )
})

test('nothing was measured yet', () => {
  assert.deepEqual(linesOf(chart(from, [])).times, [])
})
