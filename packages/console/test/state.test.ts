import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiveChange } from '@fettle/relay/api'
import { liveSnapshot } from '@fettle/relay/api'
import { apply, begin } from '../src/live/state.ts'
import { ended, session, snapshot } from './made.ts'

const first = snapshot([session(1), session(2), ended(3)])
const rates = { receivedBitsPerSecond: 1, sentBitsPerSecond: 2 }

function change(more: Partial<LiveChange> = {}): LiveChange {
  return { commit: 11, at: '2026-01-01T13:00:05.000Z', totals: first.totals, sessions: [], gone: [], ...more }
}

test('the made-up snapshot of these tests is one that a meter could send', () => {
  assert.deepEqual(liveSnapshot.parse(first), first)
})

test('a change replaces, adds and removes sessions, and leaves all others the same objects', () => {
  const before = begin(first)
  const [one, four] = [session(1, { account: 'a' }), session(4)]
  const after = apply(before, change({ sessions: [one, four], gone: [3] }))
  assert.deepEqual(Array.from(after.sessions.keys()), [1, 2, 4])
  assert.equal(after.sessions.get(1), one)
  assert.equal(after.sessions.get(2), before.sessions.get(2))
  assert.equal(before.sessions.size, 3)
})

test('what a change does not speak of stays', () => {
  const before = begin(first)
  const after = apply(before, change())
  assert.equal(after.sessions, before.sessions)
  assert.equal(after.servers, before.servers)
  assert.equal(after.findings, before.findings)
  assert.equal(after.chart, before.chart)
  assert.equal(after.commit, 11)
})

test('an older change is left alone, the same commit is not', () => {
  const before = begin(first)
  assert.equal(apply(before, change({ commit: 9, gone: [1] })), before)
  assert.equal(apply(before, change({ commit: 10, gone: [1] })).sessions.size, 2)
})

test('the chart grows by points, keeps an hour, and never goes back', () => {
  let state = begin(first)
  const chartAfter = (at: string) => {
    state = apply(state, change({ point: { at, rates } }))
    return state.chart.map((point) => point.at.slice(11, 19))
  }
  assert.deepEqual(chartAfter('2026-01-01T13:30:00.000Z'), ['13:00:00', '13:30:00'])
  assert.deepEqual(chartAfter('2026-01-01T13:30:00.000Z'), ['13:00:00', '13:30:00'])
  assert.deepEqual(chartAfter('2026-01-01T13:29:00.000Z'), ['13:00:00', '13:30:00'])
  assert.deepEqual(chartAfter('2026-01-01T14:00:00.000Z'), ['13:00:00', '13:30:00', '14:00:00'])
  assert.deepEqual(chartAfter('2026-01-01T14:00:01.000Z'), ['13:30:00', '14:00:00', '14:00:01'])
})

test('beyond a thousand sessions those that ended first are no longer kept', () => {
  const many = Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? session(i) : ended(i)))
  const after = apply(begin(snapshot(many)), change({ sessions: [session(2000), session(2001)] }))
  assert.equal(after.sessions.size, 1000)
  assert.deepEqual(
    [1, 3, 5, 0, 2000].map((id) => after.sessions.has(id)),
    [false, false, true, true, true],
  )
})
