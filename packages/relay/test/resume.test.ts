/** What a meter that starts takes over, and what a record says of where it was heard. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fold } from '../src/core/allocation.ts'
import { appendPublish, appendScene, createBatch, Kind } from '../src/core/event.ts'
import type { AllocationRecord } from '../src/core/record.ts'
import { restore } from '../src/core/restore.ts'
import { DEFAULT_TEMPLATE, readTemplate, type Template } from '../src/core/session.ts'
import { createState, take } from '../src/core/state.ts'
import { replay } from '../src/replay.ts'
import type { Ledger } from '../src/store/ledger.ts'
import { readRejected, readSessions } from '../src/store/sessions.ts'
import { recording } from './recordings/expectations.ts'
import { play, readScenario } from './scenario.ts'

const played = (text: string): Ledger => play(readScenario(text), false)
const claim = (name: string, version: string | null = null) => ({ source: 'resp', name, bootAware: true, version })

const allocations = ({ db }: Ledger): AllocationRecord[] =>
  Array.from(readSessions(db)).flatMap((page) => page.flatMap((session) => session.allocations))

test('[R30] a server that is configured no more is left as it was', () => {
  const ledger = played('at 0s new id=1 user=100:ann server=a\n at 1s new id=1 user=100:bob server=b')
  const state = createState()
  restore(state, ledger.restore([claim('b')]))
  const batch = createBatch(1, new Uint8Array(0))
  appendScene(batch, Kind.tick, Date.UTC(2026, 0, 2))
  fold(state, batch)
  ledger.commit(take(state))
  const ends = allocations(ledger).map(({ server, end }) => [server, end])
  assert.deepEqual(ends, [
    ['a', 'open'],
    ['b', 'expired'],
  ])
  ledger.close()
})

test('[R11, R30] what was held is held on, and is the first to be rejected', () => {
  const ledger = played('at 0s traffic id=1 user=100:ann received=1/100 sent=1/100')
  const state = createState({ heldMax: 1 })
  restore(state, ledger.restore([claim('a')]))
  const [path, text] = [
    'turn/realm/r/user/100:bob/allocation/000000000000000002/traffic',
    'rcvp=1, rcvb=2, sentp=3, sentb=4',
  ]
  const batch = createBatch(2, new TextEncoder().encode(path + text))
  appendScene(batch, Kind.from, 1, 1)
  appendPublish(batch, 0, path.length, path.length, path.length + text.length)
  fold(state, batch)
  ledger.commit(take(state))
  const held = ledger.db.prepare('SELECT username FROM allocation WHERE session_id IS NULL').all()
  assert.deepEqual(
    held.map(({ username }) => username),
    ['100:bob'],
  )
  assert.deepEqual(
    readRejected(ledger.db).map(({ username }) => username),
    ['100:ann'],
  )
  ledger.close()
})

test('[R1, R30] what was malformed is counted on', () => {
  const ledger = played('at 0s new id=1 user=100:ann')
  for (const expected of [1, 2]) {
    const state = createState()
    restore(state, ledger.restore([claim('a')]))
    const bytes = new TextEncoder().encode('turn/nothing')
    const batch = createBatch(2, bytes)
    appendScene(batch, Kind.from, 1, 1)
    appendPublish(batch, 0, bytes.length, bytes.length, bytes.length)
    fold(state, batch)
    ledger.commit(take(state))
    assert.equal(ledger.db.prepare('SELECT malformed FROM stream').get()?.malformed, expected)
  }
  ledger.close()
})

test('[R18] the version is what the operator says now', () => {
  const ledger = played(`
    at 0s new          id=1 user=100:ann
    at 1s traffic/peer id=1 received=1/100 sent=1/100`)
  const quirksWith = (version: string | null) => {
    ledger.restore([claim('a', version)])
    return allocations(ledger)[0]!.quirks.length
  }
  assert.deepEqual(['4.10.0', '4.11.0', '4.6.1', null, '5.0'].map(quirksWith), [0, 1, 0, 1, 1])
  ledger.close()
})

test('[R12] an unknown lifetime is null', () => {
  const ledger = played('at 0s deleted id=1 user=100:ann')
  assert.deepEqual(
    allocations(ledger).map(({ lifetimeSeconds, startedAt }) => [lifetimeSeconds, startedAt]),
    [[null, null]],
  )
  ledger.close()
})

test('[R3, R27] a recording names no server, and its boots where it tells them', async () => {
  const template = readTemplate(DEFAULT_TEMPLATE) as Template
  const told = async (name: string) => {
    const { sessions } = await replay([recording(name)], template, 30_000)
    return sessions.flatMap((session) => session.allocations)[0]
  }
  const [capture, log] = [await told('j-call-resp.txt'), await told('j-call-log.txt')]
  assert.deepEqual([capture?.server, capture?.boot, log?.server, log?.boot], [null, 1, null, null])
})
