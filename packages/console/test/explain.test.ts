import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainEnd, explainQuality, explainQuirk } from '../src/text/explain.ts'

test('a lower bound says how much is missing at most, or that nobody can say', () => {
  const said = (missing: { packets: number | null; bytes: number | null }) =>
    explainQuality('lower_bound', missing, false)
  assert.match(said({ packets: 4095, bytes: 3_640_000 }), /At most 4,095 packets more \(about 3\.64 MB\)\.$/)
  assert.match(said({ packets: 1, bytes: null }), /At most 1 packet more\.$/)
  assert.match(said({ packets: null, bytes: null }), /cannot be said: events were lost in a gap\.$/)
})

test('what is open and what has ended without totals are two different things', () => {
  const missing = { packets: 4095, bytes: null }
  assert.match(explainQuality('lower_bound', missing, true), /^Still counting\./)
  assert.match(explainQuality('lower_bound', missing, false), /^coturn’s final totals were not heard\./)
})

test('a session that has ended may go on, one that is final does not', () => {
  assert.match(explainEnd('deleted', 'ended'), /may still go on/)
  assert.doesNotMatch(explainEnd('deleted', 'final'), /may still go on/)
})

test('a fault that this page has never heard of is shown by its code', () => {
  assert.equal(explainQuirk('some-new-one'), 'some-new-one')
})
