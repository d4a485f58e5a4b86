import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiveChange } from '@fettle/relay/api'
import { liveSnapshot } from '@fettle/relay/api'
import { apply, begin } from '../src/live/state.ts'
import { chart, ended, session, snapshot } from './made.ts'

const first = snapshot([session(1), session(2), ended(3)])

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

test('the end of the chart is replaced and goes on, an hour of it is kept', () => {
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 13) + seconds * 1000).toISOString()
  let state = begin({ ...first, chart: chart(at(0), [1, 2, 3]) })
  const chartAfter = (from: number, received: readonly number[]) => {
    state = apply(state, change({ chart: chart(at(from), received) }))
    return state.chart
  }
  assert.deepEqual(chartAfter(10, [4, 5]), chart(at(0), [1, 2, 4, 5]))
  assert.deepEqual(chartAfter(20, [6]), chart(at(0), [1, 2, 4, 5, 6]))
  assert.deepEqual(chartAfter(0, [7, 8]), chart(at(0), [7, 8]))
  const hour = Array.from({ length: 720 }, (_, i) => i)
  assert.deepEqual(chartAfter(10, hour), chart(at(10), hour))
  assert.deepEqual(chartAfter(3605, [9, 9]), chart(at(15), [...hour.slice(1, 719), 9, 9]))
  // What does not hang together begins anew.
  assert.deepEqual(chartAfter(9000, [1]), chart(at(9000), [1]))
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
