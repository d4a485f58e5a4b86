import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fold } from '../src/core/allocation.ts'
import { appendPublish, appendScene, createBatch, Kind } from '../src/core/event.ts'
import { createState, createStream } from '../src/core/state.ts'

/** A meter that has heard these messages, a second apart. */
function heard(messages: readonly (readonly [channel: string, message: string])[]) {
  const state = createState()
  state.streams.set(1, createStream(1, 'turn1', true))
  messages.forEach(([channel, message], i) => {
    const bytes = Buffer.from(channel + message)
    const batch = createBatch(8, bytes)
    appendScene(batch, Kind.tick, i * 1000)
    appendScene(batch, Kind.from, 1, 1)
    appendPublish(batch, 0, channel.length, channel.length, bytes.length)
    fold(state, batch)
  })
  return state
}

const path = (realm: string, n = 1) => `turn/realm/${realm}/user/alice/allocation/${String(n).padStart(18, '0')}`
const report = (n: number) => `rcvp=${n}, rcvb=${n * 100}, sentp=${n * 2}, sentb=${n * 200}`

test('[R5, R10] what is relayed counts for its realm, from before it was proved real on, once', () => {
  const { relayed, events } = heard([
    [`${path('a.example')}/traffic`, report(10)],
    [`${path('a.example')}/traffic/peer`, report(5)],
    [`${path('b.example', 2)}/traffic`, report(7)],
    [`${path('a.example')}/status`, 'refreshed lifetime=600'],
    [`${path('a.example')}/traffic`, report(1)],
    [`${path('a.example')}/status`, 'deleted'],
    [`${path('a.example')}/total_traffic`, report(20)],
    [`${path('a.example')}/total_traffic/peer`, report(5)],
  ])
  const of = (realm: string) => {
    const index = relayed.realms.indexOf(realm)
    return index < 0 ? undefined : Array.from(relayed.sums.subarray(index * 8, index * 8 + 8))
  }
  assert.deepEqual(of('a.example'), [20, 2000, 40, 4000, 5, 500, 10, 1000])
  assert.equal(of('b.example'), undefined, 'held, not proved real')
  assert.deepEqual([events[Kind.traffic], events[Kind.trafficPeer], events[Kind.deleted]], [3, 1, 1])
})

test('realms beyond the limit are counted together', () => {
  const { relayed } = heard(
    Array.from({ length: 100 }, (_, i) => [`${path(`r${i}`, i + 1)}/total_traffic`, report(1)] as const),
  )
  assert.equal(relayed.realms.length, 65)
  assert.equal(relayed.sums[0], 36)
  assert.equal(
    Array.from({ length: 65 }, (_, i) => relayed.sums[i * 8]!).reduce((a, b) => a + b),
    100,
  )
})
