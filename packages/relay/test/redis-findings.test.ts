import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Server } from '../src/serve/contract.ts'
import { type Facts, findings } from '../src/serve/health.ts'
import type { RedisStatus } from '../src/serve/status.ts'
import { START, statusAt } from './api-rig.ts'

const calm = { version: null, boot: 0, lastEventAt: null, allocations: 0, malformed: 0, gapsToday: 0, shared: false }
const redis = (connected: boolean): Server => {
  return { ...calm, kind: 'redis', name: '10.0.0.9:6379', connected, connections: connected ? 1 : 0 }
}
const coturn: Server = { ...calm, kind: 'coturn', name: 'turn1', connected: true, connections: 1, boot: 1 }

function found(servers: readonly Server[], status: RedisStatus): string[] {
  const facts: Facts = {
    now: START,
    status: statusAt(START, { redis: status }),
    servers,
    gaps: [],
    rejectedNames: 0,
    misfits: { of: 0, count: 0 },
    twins: [],
    diskFreeBytes: null,
    isLedgerGone: false,
    sink: null,
  }
  return findings(facts).map(({ code, level, text }) => `${level} ${code}: ${text}`)
}

const well = { why: null, warnings: [] }
const lost = 'What coturns report there now is lost until the totals come.'

test('[R33] a Redis that is heard is no finding, whatever else there is', () => {
  assert.deepEqual(found([redis(true)], well), [])
  assert.deepEqual(found([coturn, redis(true)], well), [])
})

test('[R33] beside a Redis a coturn that has never connected is awaited by nobody, one that is gone is', () => {
  const awaited = { ...coturn, connected: false, connections: 0, boot: 0 }
  assert.deepEqual(found([awaited, redis(true)], well), [])
  assert.match(found([{ ...awaited, boot: 1 }, redis(true)], well).join(), /^warning server-gone: /)
})

test('[R33] a Redis that is not heard is a problem where nothing else is, with the reason', () => {
  const status = { why: 'AUTH was refused: WRONGPASS', warnings: [] }
  const because = 'The Redis "10.0.0.9:6379" is not heard: AUTH was refused: WRONGPASS.'
  assert.deepEqual(found([redis(false)], status), [`problem redis-gone: ${because} ${lost}`])
  assert.deepEqual(found([coturn, redis(false)], status), [`warning redis-gone: ${because} ${lost}`])
  assert.deepEqual(found([redis(false)], well), [`problem redis-gone: The Redis "10.0.0.9:6379" is not heard. ${lost}`])
})

test('[R35] what it is set to is a warning', () => {
  const warnings = [{ code: 'redis-timeout', text: 'It closes connections.', remedy: 'CONFIG SET timeout 0.' }]
  assert.deepEqual(found([redis(true)], { why: null, warnings }), [
    'warning redis-timeout: The Redis "10.0.0.9:6379": It closes connections.',
  ])
})
