import assert from 'node:assert/strict'
import { test } from 'node:test'
import { held, matches, openRate, secondsSoFar, sorted, turn, wordsOf } from '../src/sessions/arrange.ts'
import { ended, session } from './made.ts'

const now = Date.UTC(2026, 0, 1, 12, 10, 0)
const ids = (sessions: readonly { id: number }[]) => sessions.map(({ id }) => id)

test('sessions are sorted by any column; what is unknown comes last both ways, the newest first among equals', () => {
  const all = [session(1, { account: 'b' }), session(2), session(3, { account: 'a' }), session(4, { account: 'b' })]
  assert.deepEqual(ids(sorted(all, { by: 'account', descending: false }, now)), [3, 4, 1, 2])
  assert.deepEqual(ids(sorted(all, { by: 'account', descending: true }, now)), [4, 1, 3, 2])
  assert.deepEqual(ids(sorted(all, { by: 'received', descending: true }, now)), [4, 3, 2, 1])
})

test('the duration of what is open is counted up to now', () => {
  assert.equal(secondsSoFar(session(0), now), 600)
  assert.equal(secondsSoFar(ended(0), now), 3600)
  assert.equal(secondsSoFar(session(0, { startedAt: null }), now), null)
  assert.deepEqual(ids(sorted([session(0), ended(1)], { by: 'duration', descending: true }, now)), [1, 0])
})

test('what has ended has no rate', () => {
  const rates = { receivedBitsPerSecond: 5, sentBitsPerSecond: 6 }
  assert.equal(openRate(session(1, { rates })), rates)
  assert.equal(openRate(ended(1, { rates })), undefined)
  const oneWay = { receivedBitsPerSecond: 0, sentBitsPerSecond: 6 }
  assert.equal(openRate(session(1, { rates: oneWay })), oneWay)
  assert.equal(openRate(session(1)), undefined, 'it has not reported yet')
})

test('a title turns its own order around; a number begins with the highest, a name with the first', () => {
  assert.deepEqual(turn({ by: 'device', descending: false }, 'device'), { by: 'device', descending: true })
  assert.deepEqual(turn({ by: 'device', descending: true }, 'sent'), { by: 'sent', descending: true })
  assert.deepEqual(turn({ by: 'sent', descending: true }, 'realm'), { by: 'realm', descending: false })
})

test('every word of the filter has to be in one of the names', () => {
  const one = session(7, { device: 'Desk-07', account: 'Harbour', servers: ['turn1.fra'] })
  const fits = (filter: string) => matches(one, wordsOf(filter), 'all')
  assert.deepEqual(['', '  ', 'desk', 'DESK harb', 'fra open', 'desk q', 'ham', 'deskharb'].map(fits), [
    true,
    true,
    true,
    true,
    true,
    false,
    false,
    false,
  ])
})

test('only the open ones, or only the others', () => {
  const shown = (show: 'open' | 'ended') => ids([session(1), ended(2)].filter((one) => matches(one, [], show)))
  assert.deepEqual(shown('open'), [1])
  assert.deepEqual(shown('ended'), [2])
})

test('while the order is held, nothing that is there moves and what is new comes below', () => {
  assert.deepEqual(ids(held([3, 1, 2], [session(1), session(4), session(3)])), [3, 1, 4])
})
