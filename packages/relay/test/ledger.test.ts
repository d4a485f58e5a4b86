/** What the ledger's tables refuse, and what is read out of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createState, take } from '../src/core/state.ts'
import type { Ledger } from '../src/store/ledger.ts'
import { countMisfits, readRejected, readSessions } from '../src/store/sessions.ts'
import { Rig } from './api-rig.ts'
import { play, readScenario } from './scenario.ts'

const played = (text: string): Ledger => play(readScenario(text), false)

const CALL = `
  at 0s new     id=1 user=100:ann
  at 9s deleted id=1
  at 9s total   id=1 received=1/100 sent=2/200
  at 20s tick`

const usage = ({ db }: Ledger) => db.prepare('SELECT * FROM usage').all()

test('[R26] a usage row is not replaced', () => {
  const ledger = played(CALL)
  const before = usage(ledger)
  assert.equal(before.length, 1)
  const replace = 'REPLACE INTO usage SELECT allocation_id, bucket, side, entry, 9, 9, 9, 9 FROM usage'
  assert.throws(() => ledger.db.exec(replace), /usage is append-only/)
  assert.deepEqual(usage(ledger), before)
  ledger.close()
})

test('[R26] a cut that would write a usage row a second time is refused as a whole', () => {
  const ledger = played(CALL)
  const before = usage(ledger)
  const state = createState()
  state.usage.pushFrom(Float64Array.of(...Object.values(before[0]!).slice(0, 4).map(Number), 9, 9, 9, 9), 0)
  assert.throws(() => ledger.commit(take(state)), /UNIQUE|append-only/)
  assert.deepEqual(usage(ledger), before)
  ledger.close()
})

test('[R11] the names of one server leave room for those of another', () => {
  const names = (server: string) =>
    Array.from({ length: 1001 }, (_, i) => `at 0s traffic id=${i} user=${server}${i} server=${server} received=1/1\n`)
  const ledger = played([...names('a'), ...names('b'), 'at 3h tick'].join(''))
  const rejected = readRejected(ledger.db)
  for (const server of ['a', 'b']) {
    const own = rejected.filter((one) => one.server === server)
    assert.equal(own.filter(({ username }) => username !== null).length, 1000)
    assert.equal(own.find(({ username }) => username === null)?.allocations, 1)
  }
  ledger.close()
})

test('[R10] what was rejected has the times of its first and its last report, most bytes first', () => {
  const ledger = played(`
    at 0s traffic      id=1 user=x received=1/100
    at 1s traffic      id=2 user=y received=1/500
    at 5s traffic      id=1 received=1/100
    at 9s traffic/peer id=2 received=1/100
    at 3h tick`)
  const times = readRejected(ledger.db).map(({ username, firstAt, lastAt }) => [username, firstAt, lastAt])
  assert.deepEqual(times, [
    ['y', '2026-01-01T00:00:01.000Z', '2026-01-01T00:00:09.000Z'],
    ['x', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:05.000Z'],
  ])
  ledger.close()
})

test('sessions are read whole, however many pages they fill', () => {
  const opened = Array.from({ length: 1201 }, (_, i) => `at 0s new id=${i} user=1:device${i}\n`)
  const ledger = played(opened.join(''))
  const pages = Array.from(readSessions(ledger.db), (page) => page.length)
  assert.deepEqual([pages.length > 1, pages.reduce((a, b) => a + b, 0)], [true, 1201])
  ledger.close()
})

test('[R21] live sessions are those in which something that counts is open', () => {
  const ledger = played(`
    at 0s new     id=1 user=100:ann
    at 0s new     id=2 user=100:bob
    at 9s deleted id=2
    at 9s total   id=2 received=0/0 sent=0/0`)
  const devices = Array.from(readSessions(ledger.db, { live: true }))
    .flat()
    .map(({ device }) => device)
  assert.deepEqual(devices, ['ann'])
  ledger.close()
})

test('[R10, R19] a name that does not fit is counted when it has proved real, not before', () => {
  const ledger = played(`
    at 0s new     id=1 user=misfit
    at 0s traffic id=2 user=stranger received=1/100`)
  assert.equal(countMisfits(ledger.db), 1)
  ledger.close()
})

test('[R22] a session has ended with the last allocation that counts, and not once more with one that was never used', (context) => {
  const rig = new Rig(context)
  const [spare, used, unused] = [rig.open('1:ann'), rig.open('1:ann'), rig.open('1:bob')]
  const ended = () => rig.ledger.commit(take(rig.state)).ended
  rig.report(used, [2048, 100_000, 2048, 100_000])
  assert.deepEqual(ended(), [])
  rig.close(used, [2048, 100_000, 2048, 100_000])
  assert.deepEqual(ended(), [1])
  rig.close(spare, [1, 100, 1, 100])
  assert.deepEqual(ended(), [])
  rig.close(unused, [1, 100, 1, 100])
  assert.deepEqual(ended(), [2])
})
