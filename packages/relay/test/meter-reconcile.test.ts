import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Addition } from '../src/core/reconcile.ts'
import { readTemplate, type Template } from '../src/core/session.ts'
import { systemClock } from '../src/ingest/clock.ts'
import { startMeter } from '../src/meter.ts'
import { Ledger, openDatabase } from '../src/store/ledger.ts'
import type { Store } from '../src/store/store.ts'

test('[R49] records are right when that is committed, not before, and the next request is looked at after that', async (t) => {
  const template = readTemplate('{expires}:{device}') as Template
  const ledger = new Ledger(openDatabase(':memory:'), { template, lingerMs: 30_000 })
  let failures = 0
  let isBroken = false
  const store: Store = {
    restore: async (claims) => ledger.restore(claims),
    async commit(cut) {
      if (isBroken) {
        failures++
        throw new Error('disk full')
      }
      return ledger.commit(cut)
    },
    recall: async (asked) => ledger.recall(asked),
    close: async () => ledger.close(),
  }
  const claims = [{ source: 'resp', name: 'turn1', bootAware: true, version: null }]
  const source = { claims, start: async () => {}, stop: async () => {} }
  const meter = await startMeter({ source, store, clock: systemClock() })
  t.after(() => meter.stop())
  const now = Date.now()
  const addition: Addition = {
    stream: 1,
    boot: 1,
    path: Buffer.from('turn/user/1:ann/allocation/000000000000000001'),
    account: {
      openedAt: now - 90_000,
      goodbyeAt: Number.NaN,
      closedAt: now - 70_000,
      relayTo: Number.NaN,
      client: [1, 2, 3, 4],
      peer: null,
      closing: new Uint8Array(0),
    },
  }
  const asked = { completions: [], additions: [addition] }
  const rows = () => ledger.db.prepare('SELECT count(*) AS n FROM usage').get()!.n
  isBroken = true
  let resolved = false
  const first = meter.reconcile(asked).finally(() => {
    resolved = true
  })
  const second = meter.reconcile(asked)
  while (failures === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.deepEqual([resolved, rows()], [false, 0])
  isBroken = false
  assert.deepEqual((await first).additions, ['whole'])
  assert.equal(rows(), 1)
  assert.deepEqual((await second).additions, ['unchanged'])
  assert.equal(rows(), 1)
})
