/** Which session an allocation belongs to that is made whole or added. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, Heard, iso, logOf, type Said, unused } from './reconcile-world.ts'

const told = (heard: Heard) =>
  heard.sessions().map(({ startedAt, endedAt, state, allocations }) => {
    return [startedAt, endedAt, state, allocations.map(({ id }) => Number(id)).join()]
  })

/** Compares, applies, and says what came of the sessions. */
function after(said: readonly Said[], gaps: readonly (readonly [number, number])[], until: number) {
  const heard = new Heard()
  heard.hear(said, gaps)
  heard.until(until)
  heard.apply(heard.beside(logOf(said)))
  heard.assertSums()
  return told(heard)
}

test('[R22, R48] an unused allocation that stays open after a call does not tie the next one to it', () => {
  const said = [...call('1:ann', 1, 0, 600), ...unused('1:ann', 9, 1, 2400), ...call('1:ann', 2, 1810, 2000)]
  const live = new Heard()
  live.hear(said)
  live.until(4000)
  assert.deepEqual(after(said, [[1800, 2100]], 4000), told(live))
})

test('[R21, R48] it joins the session that it touches, the earlier one of two', () => {
  const said = [...call('1:ann', 1, 0, 100), ...call('1:ann', 2, 120, 180), ...call('1:ann', 3, 200, 300)]
  assert.deepEqual(after(said, [[110, 190]], 4000), [
    [iso(0), iso(180), 'final', '1,2'],
    [iso(200), iso(300), 'final', '3'],
  ])
})

test('[R48] what was missed of one call becomes one session, in whatever order the log has it', () => {
  const said = [...unused('1:ann', 1, 200, 290), ...call('1:ann', 2, 210, 220), ...call('1:ann', 3, 240, 280)]
  assert.deepEqual(after(said, [[100, 400]], 4000), [[iso(210), iso(280), 'final', '1,2,3']])
})

test('[R21, R48] what is added in one go touches in the order of time', () => {
  const said = [...call('2:ann', 1, 200, 220), ...call('3:ann', 2, 240, 260), ...call('1:ann', 3, 280, 300)]
  assert.deepEqual(after(said, [[100, 400]], 4000), [[iso(200), iso(300), 'final', '1,2,3']])
})

test('[R47] one that turns out to have carried stays in its session, and in none that began after its end', () => {
  const nine: Said[] = unused('1:ann', 9, 1, 900).toSpliced(-1, 0, ...call('1:ann', 9, 1, 900).slice(-2, -1).map(big))
  const said = [...call('1:ann', 1, 0, 300), ...nine, ...call('1:ann', 2, 1100, 1500).slice(0, 3)]
  assert.deepEqual(after(said, [[800, 1000]], 1350), [
    [iso(0), iso(900), 'final', '1,9'],
    [iso(1100), null, 'open', '2'],
  ])
})

const big = (one: Said): Said => ({ ...one, client: [99, 99_000, 99, 99_000], peer: [99, 99_000, 99, 99_000] })
