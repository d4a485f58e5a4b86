import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Server } from '../src/serve/contract.ts'
import { type Facts, findings } from '../src/serve/health.ts'
import type { LogStatus } from '../src/serve/status.ts'
import { START, statusAt } from './api-rig.ts'

const calm = { version: null, boot: 0, lastEventAt: null, allocations: 0, malformed: 0, gapsToday: 0, shared: false }
const log = (connected: boolean): Server => {
  return { ...calm, kind: 'log', name: '/var/log/turn.log', connected, connections: connected ? 1 : 0 }
}
const coturn: Server = { ...calm, kind: 'coturn', name: 'turn1', connected: true, connections: 1, boot: 1 }
const well: LogStatus = { why: null, left: 0, isUndated: false, forked: null }

function found(servers: readonly Server[], status: LogStatus, more: Partial<Facts> = {}): string[] {
  const facts: Facts = {
    now: START,
    status: statusAt(START, { log: status }),
    servers,
    gaps: [],
    rejectedNames: 0,
    misfits: { of: 0, count: 0 },
    twins: [],
    diskFreeBytes: null,
    isLedgerGone: false,
    sink: null,
    ...more,
  }
  return findings(facts).map(({ code, level, text }) => `${level} ${code}: ${text}`)
}

test('[R42] a log that is read is no finding, nor is an endpoint beside it that nobody uses', () => {
  assert.deepEqual(found([log(true)], well), [])
  assert.deepEqual(found([{ ...coturn, connected: false, connections: 0, boot: 0 }, log(true)], well), [])
})

test('[R42, R43] a log that is not read, has no times, or has a file too many', () => {
  const why = 'it cannot be read (EACCES)'
  const text = `The log "/var/log/turn.log" is not read: ${why}.`
  assert.deepEqual(found([log(false)], { ...well, why }), [`problem log-gone: ${text}`])
  assert.deepEqual(found([coturn, log(false)], { ...well, why }), [`warning log-gone: ${text}`])
  assert.match(found([log(true)], { ...well, isUndated: true }).join(), /^warning log-undated: The lines of the log /)
  assert.match(
    found([log(true)], { ...well, forked: '/var/log/turn_1.log' }).join(),
    /^problem log-forked: \S+ goes on/,
  )
})

test('[R45] what is heard twice is a problem, with both names', () => {
  const twins = [{ first: '/var/log/turn.log', other: 'turn1' }]
  const text = 'Allocations are counted twice: "/var/log/turn.log" and "turn1" tell of the same ones.'
  assert.deepEqual(found([coturn, log(true)], well, { twins }), [`problem heard-twice: ${text}`])
})
