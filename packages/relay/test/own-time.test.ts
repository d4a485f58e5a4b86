/** A log that is read later than it was written, beside coturns that are heard now. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passTime } from '../src/core/allocation.ts'
import { BEFORE, COTURN, LIVE, LOG, MINUTE, SECOND, TwoSources } from './two-sources.ts'

const opened = ['status', 'new lifetime=600'] as const
const deleted = ['status', 'deleted'] as const

test('[R43] what a log says is of its own time, and nothing in it ends by another', () => {
  const meter = new TwoSources()
  meter.says(COTURN, LIVE, 'bob', opened)
  meter.says(LOG, BEFORE, 'ann', opened, ['traffic', 'rcvp=1, rcvb=90000, sentp=1, sentb=1'])
  meter.says(COTURN, LIVE + 11 * MINUTE + SECOND, 'bob')
  assert.deepEqual(meter.told(), ['ann open open', 'bob ended expired'])
  assert.equal(meter.sessions().get('ann')!.startedAt, '2026-01-01T00:00:00.000Z')
  // The meter's clock goes on, whoever was heard last.
  meter.says(LOG, BEFORE + MINUTE, 'ann')
  passTime(meter.state, LIVE + 20 * MINUTE)
  assert.equal(meter.state.time.now, BEFORE + MINUTE)
  assert.deepEqual(meter.told(), ['ann open open', 'bob ended expired'])
  meter.says(LOG, BEFORE + 11 * MINUTE + SECOND, 'ann')
  assert.deepEqual(meter.told()[0], 'ann final expired')
})

test('[R43] nothing is final before a log has been read up to there; one that is not read holds up nothing', () => {
  const meter = new TwoSources()
  meter.says(LOG, BEFORE, 'ann', opened, deleted)
  meter.says(COTURN, LIVE, 'bob', opened, deleted)
  passTime(meter.state, LIVE + MINUTE)
  assert.deepEqual(meter.told(), ['ann ended deleted', 'bob ended deleted'])
  meter.says(LOG, BEFORE + 31 * SECOND, 'ann')
  assert.deepEqual(meter.told(), ['ann final deleted', 'bob ended deleted'])
  meter.await(false)
  assert.deepEqual(meter.told(), ['ann final deleted', 'bob final deleted'])
})

test('[R43] a meter that starts again goes on with the time of the log where it was', () => {
  const meter = new TwoSources()
  meter.says(LOG, BEFORE, 'ann', opened)
  meter.says(COTURN, LIVE, 'bob', opened)
  meter.sessions()
  meter.restart()
  passTime(meter.state, LIVE + 60 * MINUTE)
  assert.deepEqual(meter.told(), ['ann open open', 'bob ended expired'])
  meter.restart()
  assert.equal(meter.state.streams.get(LOG)!.heardAt, BEFORE)
  meter.says(LOG, BEFORE + 5 * MINUTE, 'ann', deleted)
  assert.equal(meter.sessions().get('ann')!.endedAt, '2026-01-01T00:05:00.000Z')
})
