/** What may be sent to a running meter, and by whom. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reconciled } from '../src/serve/contract.ts'
import { Rig, START, TOKEN } from './api-rig.ts'

const PATH = '/v1/reconcile'
const JSON_TYPE = { 'content-type': 'application/json' }
const BEARER = { authorization: `Bearer ${TOKEN}` }
const EMPTY = { completions: [], additions: [] }

function post(body: string | object, headers: Record<string, string> = { ...JSON_TYPE, ...BEARER }): Request {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return new Request(`http://127.0.0.1${PATH}`, { method: 'POST', headers, body: text })
}

const account = {
  startedAt: new Date(START).toISOString(),
  goodbyeAt: null,
  endedAt: new Date(START + 60_000).toISOString(),
  relayedUntil: null,
  client: { receivedBytes: 100, receivedPackets: 1, sentBytes: 200, sentPackets: 2 },
  peer: null,
  closing: '',
}
const PLACE = {
  stream: 1,
  boot: 1,
  path: Buffer.from('turn/user/1:ann/allocation/000000000000000077').toString('base64'),
}

test('[R49] only who knows the token may change a record, and no page of somebody else’s by the way', async (context) => {
  const api = new Rig(context).api()
  const status = async (...given: Parameters<typeof post>) => (await api.fetch(post(...given))).status
  assert.equal(await status(EMPTY), 200)
  assert.equal(await status(EMPTY, JSON_TYPE), 401)
  assert.equal(await status(EMPTY, { ...JSON_TYPE, authorization: 'Bearer wrong' }), 401)
  // What a form, or a script without leave, can send across sites.
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    assert.equal(await status(EMPTY, { ...BEARER, 'content-type': type }), 415, type)
  }
  const preflight = new Request(`http://127.0.0.1${PATH}`, { method: 'OPTIONS', headers: BEARER })
  const answer = await api.fetch(preflight)
  assert.deepEqual([answer.status, answer.headers.get('access-control-allow-origin')], [405, null])
  const read = await api.fetch(new Request(`http://127.0.0.1${PATH}`, { headers: BEARER }))
  assert.deepEqual([read.status, read.headers.get('allow')], [405, 'POST'])
})

test('what is wrong with a request is said, and nothing is done', async (context) => {
  const rig = new Rig(context)
  const api = rig.api()
  const refused = async (body: string | object) => {
    const response = await api.fetch(post(body))
    return [response.status, (await response.json()).detail] as const
  }
  assert.deepEqual(await refused('{"completions":'), [400, 'What was sent is no JSON.'])
  for (const [body, words] of [
    [[], /expected object/],
    [{ completions: [] }, /^additions: /],
    [{ ...EMPTY, more: 1 }, /more/],
    [{ ...EMPTY, completions: [{ allocation: 1 }] }, /^completions\.0\.startedAt: /m],
    [{ ...EMPTY, completions: [{ allocation: -1, ...account }] }, /^completions\.0\.allocation: /],
    [{ ...EMPTY, completions: [{ allocation: 1, ...account, startedAt: 'yesterday' }] }, /ISO/],
    [{ ...EMPTY, additions: [{ ...PLACE, path: '%%', ...account }] }, /^additions\.0\.path: /],
    [{ ...EMPTY, additions: [{ ...PLACE, ...account, closing: 'new lifetime=1, local=x' }] }, /\.closing: /],
    [{ ...EMPTY, additions: [{ ...PLACE, ...account, client: { ...account.client, sentBytes: -1 } }] }, /sentBytes/],
    [
      { ...EMPTY, additions: [{ ...PLACE, ...account, client: { ...account.client, sentBytes: 2 ** 60 } }] },
      /sentBytes/,
    ],
    [{ ...EMPTY, completions: Array(1001).fill({ allocation: 1, ...account }) }, /^completions: /],
  ] as const) {
    const [status, detail] = await refused(body)
    assert.equal(status, 400, detail)
    assert.match(detail, words)
  }
  assert.equal((await api.fetch(post(' '.repeat(4_000_001)))).status, 413)
  assert.equal(rig.ledger.db.prepare('SELECT count(*) AS n FROM allocation').get()!.n, 0)
})

test('[R48] what is added must be the path of an allocation, of a server that is known, and have an end', async (context) => {
  const rig = new Rig(context)
  rig.pass(120_000)
  const api = rig.api()
  const added = async (one: object) => {
    const response = await api.fetch(post({ ...EMPTY, additions: [one] }))
    return reconciled.parse(await response.json()).additions[0]
  }
  const base64 = (path: string) => Buffer.from(path).toString('base64')
  assert.equal(await added({ ...PLACE, ...account, path: base64('turn/user/a/allocation/12') }), 'unknown')
  assert.equal(await added({ ...PLACE, ...account, path: base64('') }), 'unknown')
  assert.equal(await added({ ...PLACE, ...account, stream: 99 }), 'unknown')
  assert.equal(await added({ ...PLACE, ...account, endedAt: null }), 'unknown')
  assert.equal(await added({ ...PLACE, ...account, endedAt: new Date(START - 1).toISOString() }), 'unknown')
  assert.equal(await added({ ...PLACE, ...account, endedAt: '9999-12-31T23:59:59.999Z' }), 'not over')
  assert.equal(rig.ledger.db.prepare('SELECT count(*) AS n FROM allocation').get()!.n, 0)
  assert.equal(await added({ ...PLACE, ...account }), 'whole')
  assert.equal(await added({ ...PLACE, ...account }), 'unchanged')
  assert.equal(rig.ledger.db.prepare('SELECT count(*) AS n FROM allocation').get()!.n, 1)
})

test('what waits for the store is not piled up: further requests are to come again', async (context) => {
  const done = Promise.withResolvers<void>()
  const reconcile = async () => {
    await done.promise
    return EMPTY
  }
  const api = new Rig(context).api({ reconcile })
  const waiting = Array.from({ length: 16 }, () => api.fetch(post(EMPTY)))
  const refused = await api.fetch(post(EMPTY))
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '30'])
  done.resolve()
  assert.deepEqual(new Set((await Promise.all(waiting)).map(({ status }) => status)), new Set([200]))
  assert.equal((await api.fetch(post(EMPTY))).status, 200)
})
