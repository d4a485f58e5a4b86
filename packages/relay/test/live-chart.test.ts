import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BIN_MS } from '../src/core/throughput.ts'
import { changeOf, chartOf } from '../src/serve/live-chart.ts'
import { type Four, Rig, START } from './api-rig.ts'

const REPORT: Four = [2000, 7_500_000, 1000, 3_750_000]
const chartAt = ({ state, now }: Rig) => chartOf(state.throughput.read(state.table, START, now))

test('what is sent of a chart, put in place of what was there, gives the new one', (context) => {
  const rig = new Rig(context)
  const paths = [rig.open('1:alice'), rig.open('1:bob')]
  let known = chartAt(rig)
  // More than the hour that is kept, by one bin or several at once.
  for (let i = 0; i < 160; i++) {
    rig.pass(BIN_MS * (1 + (i % 9)))
    if (i % 7 === 0) rig.report(paths[(i / 7) % 2]!, REPORT)
    const now = chartAt(rig)
    const change = changeOf(known, now)!
    const at = (Date.parse(change.from) - Date.parse(known.from)) / BIN_MS
    const received = [...known.received.slice(0, at), ...change.received].slice(-720)
    assert.deepEqual(received, now.received)
    known = now
  }
  assert.equal(changeOf(known, known), undefined)
})
