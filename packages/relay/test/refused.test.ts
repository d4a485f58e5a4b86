/** The store fails for so long that no more may wait for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fold } from '../src/core/allocation.ts'
import { appendPublish, appendScene, createBatch, Kind } from '../src/core/event.ts'
import { restore } from '../src/core/restore.ts'
import { DEFAULT_TEMPLATE, readTemplate, type Template } from '../src/core/session.ts'
import { createState, take } from '../src/core/state.ts'
import { Ledger, openDatabase } from '../src/store/ledger.ts'

const template = readTemplate(DEFAULT_TEMPLATE) as Template
const claims = ['a', 'b'].map((name) => ({ source: 'resp', name, bootAware: true, version: null }))
const START = Date.UTC(2026, 10, 22)

/** A batch with a scene, as `Kind` and its numbers, and then `new` of these ids. */
function batchOf(scene: readonly (readonly [kind: number, a: number, b?: number])[], ids: readonly string[]) {
  const messages = ids.map((id) => [`turn/user/100:ann/allocation/${id.padStart(18, '0')}/status`, 'new lifetime=600'])
  const batch = createBatch(16, new TextEncoder().encode(messages.flat().join('')))
  for (const [kind, a, b] of scene) appendScene(batch, kind, a, b)
  let at = 0
  for (const [channel, text] of messages as [string, string][]) {
    const middle = at + channel.length
    appendPublish(batch, at, middle, middle, middle + text.length)
    at = middle + text.length
  }
  return batch
}

test('[R17, R30] what comes while too much waits is not taken, and that is a gap; time and place go on', () => {
  const ledger = new Ledger(openDatabase(':memory:'), { template, lingerMs: 30_000 })
  const state = createState({ pendingMax: 4 })
  restore(state, ledger.restore(claims))
  const at = (t: number) => [Kind.tick, START + t] as const
  fold(state, batchOf([at(0), [Kind.from, 1, 1]], ['1', '2']))
  fold(state, batchOf([at(5000), [Kind.from, 2, 7]], ['9']))
  ledger.commit(take(state))
  fold(state, batchOf([], ['10']))
  ledger.commit(take(state))
  const rows = (sql: string) =>
    ledger.db
      .prepare(sql)
      .all()
      .map((row) => Object.values(row))
  assert.deepEqual(rows('SELECT stream_id, boot, CAST(coturn_id AS INTEGER), opened_at FROM allocation ORDER BY id'), [
    [1, 1, 1, START],
    [1, 1, 2, START],
    [2, 7, 10, START + 5000],
  ])
  assert.deepEqual(rows('SELECT * FROM gap'), [[2, START + 5000, START + 5000, 'overflow']])
  assert.deepEqual(rows('SELECT id, position FROM stream'), [
    [1, 2],
    [2, 1],
  ])
  ledger.close()
})
