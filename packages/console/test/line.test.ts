import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linesOf } from '../src/chart/line.ts'
import { chart } from './made.ts'

const from = '2026-01-01T13:00:00.000Z'

test('where all is reported there is one line, in the middle of each time', () => {
  const { times, received, sent, provisionalFrom } = linesOf(chart(from, [10, 20]))
  assert.deepEqual(
    times.map((at) => at - Date.parse(from) / 1000),
    [2.5, 7.5],
  )
  assert.deepEqual(received, { reported: [10, 20], known: [10, 20], provisional: [null, 20] })
  assert.deepEqual(sent.known, [5, 10])
  assert.equal(provisionalFrom, 2)
})

test('the line is provisional from where reports are awaited, and hangs together', () => {
  const made = chart(from, [100, 100, 50, 0], { receivedAwaited: [0, 1, 50, 100], sentAwaited: [0, 0, 25, 50] })
  const { received, sent, provisionalFrom } = linesOf(made)
  assert.deepEqual(received, {
    reported: [100, 100, 50, 0],
    known: [100, 101, null, null],
    provisional: [null, 101, 100, 100],
  })
  assert.deepEqual(sent.provisional, [null, 50, 50, 50])
  assert.equal(provisionalFrom, 2)
})

test('nothing was measured yet', () => {
  assert.deepEqual(linesOf(chart(from, [])).times, [])
})
