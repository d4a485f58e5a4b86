/** A coturn that is heard twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkup } from '../src/checkup.ts'
import { findTwins } from '../src/store/queries-state.ts'
import { COTURN, LIVE, LOG, SECOND, TwoSources } from './two-sources.ts'

const opened = ['status', 'new lifetime=600'] as const
const deleted = ['status', 'deleted'] as const
const traffic = (bytes: number) => ['traffic', `rcvp=10, rcvb=${bytes}, sentp=20, sentb=500`] as const
const peer = (bytes: number) => ['traffic/peer', `rcvp=10, rcvb=${bytes}, sentp=20, sentb=500`] as const

function heard(other: { user?: string; bytes?: number; later?: number; peerBytes?: number }, bytes = 90_000): string[] {
  const meter = new TwoSources()
  const call = [opened, traffic(bytes), peer(bytes), deleted]
  meter.says(COTURN, LIVE, 'ann', ...call)
  meter.says(COTURN, LIVE + 60 * SECOND, 'zoe', ...call)
  const { user = 'ann', bytes: others = bytes, later = 0, peerBytes = others } = other
  meter.says(LOG, LIVE + later, user, opened, traffic(others), peer(peerBytes), deleted)
  meter.says(COTURN, LIVE + 120 * SECOND, 'end')
  meter.says(LOG, LIVE + 120 * SECOND, 'end')
  meter.sessions()
  const twins = findTwins(meter.ledger.db)
  assert.deepEqual(checkup(meter.ledger.db, 0, 0).twins, twins)
  meter.ledger.close()
  return twins.map(({ first, other: second }) => `${first} ${second}`)
}

test('[R45] that a log tells of what an endpoint has told of is noticed by name, end and counters', () => {
  assert.deepEqual(heard({}), ['/var/log/turn.log turn1'])
  assert.deepEqual(heard({ later: 50 * SECOND }), ['/var/log/turn.log turn1'])
})

test('[R45] what differs in anything, or moved next to nothing, are two', () => {
  assert.deepEqual(heard({ user: 'bob' }), [])
  assert.deepEqual(heard({ bytes: 90_001 }), [])
  assert.deepEqual(heard({ peerBytes: 90_001 }), [])
  assert.deepEqual(heard({ later: 61 * SECOND }), [])
  assert.deepEqual(heard({}, 60_000), [])
})

test('[R45] to look for it costs little among many', (t) => {
  const meter = new TwoSources()
  for (let i = 0; i < 1500; i++) {
    for (const stream of [COTURN, LOG]) {
      meter.says(stream, LIVE + i, `user${i}`, opened, traffic(90_000 + i), peer(1), deleted)
    }
  }
  meter.says(COTURN, LIVE + 120 * SECOND, 'end')
  meter.says(LOG, LIVE + 120 * SECOND, 'end')
  meter.sessions()
  const began = performance.now()
  assert.equal(findTwins(meter.ledger.db).length, 1)
  const ms = performance.now() - began
  t.diagnostic(`${ms.toFixed(1)} ms`)
  assert.ok(ms < 1000)
  meter.ledger.close()
})
