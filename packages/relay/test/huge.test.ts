/** Numbers that no coturn counts to, from one that is broken or not a coturn at all. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SessionPage } from '../src/serve/contract.ts'
import { schemas } from '../src/serve/schemas.ts'
import { ask, type Four, get, Rig } from './api-rig.ts'

const MAX = Number.MAX_SAFE_INTEGER
const most: Four = [MAX, MAX, MAX, MAX]

test('[R1] counters end at 2^53 - 1, and the ledger can still be read and gone on from', async (context) => {
  const rig = new Rig(context)
  const open = rig.open('1:open')
  const closed = rig.open('1:closed')
  for (let i = 0; i < 3; i++) {
    for (const path of [open, closed]) rig.report(path, most)
    for (const id of ['901', '902']) {
      const path = `turn1 turn/realm/r/user/nobody/allocation/${id.padStart(18, '0')}`
      rig.tell(path, 'traffic', `rcvp=${MAX}, rcvb=${MAX}, sentp=${MAX}, sentb=${MAX}`)
    }
    // Over the end of a bucket.
    rig.pass(400_000)
  }
  rig.close(closed, most)
  // It expires, and then more of it is heard.
  rig.pass(7_300_000)
  rig.report(open, most)
  rig.commit()
  const api = rig.api()
  const { sessions } = schemas.SessionPage.parse(await ask<SessionPage>(api, '/v1/sessions'))
  for (const { client } of sessions) assert.equal(client.receivedBytes, MAX)
  for (const path of ['/v1/usage', '/v1/sessions/1', '/v1/allocations', '/v1/rejected', '/metrics', '/readyz']) {
    const response = await api.fetch(get(path))
    assert.equal(response.status, 200, `${path}: ${await response.text()} ${rig.errors[0]?.message}`)
  }
  rig.ledger.restore([{ source: 'resp', name: 'turn1', bootAware: true, version: null }])
})

test('[R1] a lifetime that RFC 8656 cannot say is malformed', async (context) => {
  const rig = new Rig(context)
  const path = rig.open('1:alice')
  for (const lifetime of [2 ** 32 - 1, 2 ** 32, MAX]) rig.tell(path, 'status', `refreshed lifetime=${lifetime}`)
  rig.commit()
  assert.equal(rig.state.streams.get(1)!.malformed, 2)
  const { live } = rig.ledger.restore([{ source: 'resp', name: 'turn1', bootAware: true, version: null }])
  assert.equal(live.length, 1)
})
