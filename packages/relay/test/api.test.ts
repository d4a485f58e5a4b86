import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Api } from '../src/serve/api.ts'
import { methodOf, routes } from '../src/serve/routes.ts'
import { type SchemaName, schemas } from '../src/serve/schemas.ts'
import { ask, get, KEPT, Rig, richRig, START, TOKEN } from './api-rig.ts'

/** The routes that change nothing. */
const reading = routes.filter((route) => methodOf(route) === 'get')

/** A value for each parameter that has no default; an empty meter has neither. */
function example(path: string): string {
  const compared = path === '/v1/reports/compare' ? `?before=${KEPT[0]}&after=${KEPT[1]}` : ''
  return path.replace('{id}', '1').replace('{name}', KEPT[0]) + compared
}
const missing = ['/v1/sessions/{id}', '/v1/reports/{name}', '/v1/reports/compare'].map(example)

test('answers hold what was told', async (context) => {
  const rig = richRig(context)
  const api = rig.api()
  type Page = { sessions: { device: string; state: string; client: { receivedBytes: number } }[] }
  const { sessions } = await ask<Page>(api, '/v1/sessions')
  assert.deepEqual(
    sessions.map(({ device, state, client }) => [device, state, client.receivedBytes]),
    [
      ['carol', 'open', 2_000_000],
      ['bob', 'final', 2 * 2_000_003 + 7],
      ['alice', 'final', 7 * 2_000_003 + 7],
    ],
  )
  const rejected = await ask<{ rejected: { username: string }[] }>(api, '/v1/rejected')
  assert.deepEqual(
    rejected.rejected.map(({ username }) => username),
    ['mallory'],
  )
  const gaps = await ask<{ gaps: { server: string; why: string }[] }>(api, '/v1/gaps')
  assert.deepEqual(
    gaps.gaps.map(({ server, why }) => [server, why]),
    [['turn2', 'connection']],
  )
  const servers = await ask<{ servers: { name: string; allocations: number; gapsToday: number }[] }>(api, '/v1/servers')
  assert.deepEqual(
    servers.servers.map((one) => [one.name, one.allocations, one.gapsToday]),
    [
      ['turn1', 1, 0],
      ['turn2', 0, 1],
    ],
  )
})

test('an answer that is not JSON says what it is', async (context) => {
  const api = richRig(context).api()
  const csv = await api.fetch(
    get('/v1/sessions?class=relayed', { Authorization: `Bearer ${TOKEN}`, Accept: 'text/csv' }),
  )
  assert.equal(csv.headers.get('content-type'), 'text/csv; charset=utf-8; header=present')
  const lines = (await csv.text()).split('\r\n')
  assert.equal(lines.length, 1 + 3 + 1)
  assert.match(lines[1]!, /^3,example\.org,carol,/)
  const metrics = await api.fetch(get('/metrics'))
  assert.match(metrics.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/)
  assert.match(await metrics.text(), /^fettle_sessions_open 1$/m)
  const health = await api.fetch(get('/healthz', {}))
  assert.equal(`${health.status} ${await health.text()}`, '200 ok\n')
})

test('the OpenAPI document names every route and parameter, and every schema that it speaks of', async (context) => {
  const api = new Rig(context).api()
  const response = await api.fetch(get('/v1/openapi.json', {}))
  assert.equal(response.status, 200)
  const text = await response.text()
  const document = JSON.parse(text)
  assert.match(document.openapi, /^3\.1\./)
  assert.deepEqual(
    Object.keys(document.paths),
    routes.map(({ path }) => path),
  )
  for (const route of routes) {
    const operation = document.paths[route.path][methodOf(route)]
    assert.equal(operation.requestBody?.required, route.body && true, route.path)
    assert.ok(operation.summary && operation.responses['200'], route.path)
    const named = operation.parameters.map((one: { name: string }) => one.name)
    assert.deepEqual(named, Object.keys(route.query.shape), route.path)
    for (const one of operation.parameters) {
      assert.equal(one.in === 'path', route.path.includes(`{${one.name}}`), `${route.path} ${one.name}`)
      assert.ok(one.description && Object.keys(one.schema).length > 0, `${route.path} ${one.name}`)
    }
  }
  const ids = new Set(routes.map((route) => document.paths[route.path][methodOf(route)].operationId))
  assert.equal(ids.size, routes.length)
  const spoken = Array.from(text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g), ([, name]) => name!)
  for (const name of spoken) assert.ok(name in document.components.schemas, name)
  assert.equal(document.components.schemas.Session.properties.client.$ref, '#/components/schemas/Counters')
  assert.deepEqual(Object.keys(document.components.schemas).sort(), (Object.keys(schemas) as SchemaName[]).sort())
  const sessions = document.paths['/v1/sessions'].get.parameters
  const limit = sessions.find((one: { name: string }) => one.name === 'limit')
  assert.deepEqual(limit.schema, { type: 'integer', minimum: 1, maximum: 1000, default: 100 })
})

test('only who knows the token is answered, but for the routes that are open', async (context) => {
  const api = new Rig(context).api()
  const open = ['/healthz', '/readyz', '/v1/openapi.json', '/']
  const paths = [...reading.map(({ path }) => example(path)), '/v1/openapi.json', '/', '/v1/nothing']
  const wrong = [{}, { Authorization: 'Bearer wrong' }, { Authorization: TOKEN }, { Authorization: `Basic ${TOKEN}` }]
  const right = [
    { Authorization: `Bearer ${TOKEN}` },
    { Authorization: `bearer  ${TOKEN}` },
    { authorization: `BEARER ${TOKEN}` },
  ]
  for (const path of paths) {
    for (const headers of wrong) {
      const { status, headers: said } = await api.fetch(head(path, headers))
      if (open.includes(path)) assert.equal(status, 200, path)
      else assert.deepEqual([status, said.get('www-authenticate')?.startsWith('Bearer realm=')], [401, true], path)
    }
    for (const headers of right) {
      const { status } = await api.fetch(head(path, headers))
      assert.equal(status, path === '/v1/nothing' || missing.includes(path) ? 404 : 200, path)
    }
  }
})

function head(path: string, headers: Record<string, string>): Request {
  return new Request(`http://127.0.0.1${path}`, { method: 'HEAD', headers })
}

test('[R50] without a token only a name of this machine’s own is answered', async (context) => {
  const api = new Rig(context).api({ token: '' })
  for (const host of ['127.0.0.1', '127.0.0.1:7430', 'localhost:7430', 'LOCALHOST', '[::1]:7430', '127.9.9.9']) {
    assert.equal((await api.fetch(get('/v1/servers', { Host: host }))).status, 200, host)
  }
  for (const host of [
    'evil.example',
    'evil.example:7430',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    'localhost.evil',
    '',
  ]) {
    for (const path of ['/v1/servers', '/', '/healthz', '/metrics']) {
      const response = await api.fetch(get(path, { Host: host }))
      assert.equal(response.status, 403, `${host} ${path}`)
    }
  }
})

const own: Record<string, string>[] = [
  {},
  { 'Sec-Fetch-Site': 'same-origin' },
  { 'Sec-Fetch-Site': 'none' },
  { Origin: 'http://127.0.0.1:7430' },
  // A proxy may name another host to the meter than the browser does; the browser knows what is one origin.
  { 'Sec-Fetch-Site': 'same-origin', Origin: 'https://meter.example' },
]
const others: Record<string, string>[] = [
  { 'Sec-Fetch-Site': 'cross-site' },
  { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' },
  // Another port of this machine is the same site to a browser, and another origin.
  { 'Sec-Fetch-Site': 'same-site', Origin: 'http://127.0.0.1:3000' },
  { Origin: 'http://127.0.0.1:3000' },
  { Origin: 'https://evil.example' },
  { Origin: 'http://127.0.0.1:7430.evil.example' },
  { Origin: 'null' },
  { Origin: '' },
]

/** The status, for who has the token; nothing lets another origin read it, and nothing is kept in the browser. */
async function statusOf(api: Api, path: string, method: string, headers: Record<string, string>): Promise<number> {
  const all = { Host: '127.0.0.1:7430', Authorization: `Bearer ${TOKEN}`, ...headers }
  const response = await api.fetch(new Request(`http://127.0.0.1:7430${path}`, { method, headers: all }))
  const names = Array.from(response.headers.keys())
  assert.deepEqual(
    names.filter((name) => /^(access-control-|set-cookie)/.test(name)),
    [],
  )
  return response.status
}

for (const token of [TOKEN, '']) {
  test(`[R50] no page of another origin is answered, ${token === '' ? 'without' : 'with'} a token`, async (context) => {
    const api = new Rig(context).api({ token })
    const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']
    for (const path of ['/v1/servers', '/v1/reconcile', '/v1/nothing', '/metrics']) {
      const ask = (headers: Record<string, string>) =>
        Promise.all(methods.map((method) => statusOf(api, path, method, headers)))
      for (const headers of own) assert.ok(!(await ask(headers)).includes(403), `${path} ${JSON.stringify(headers)}`)
      for (const headers of others) {
        assert.deepEqual(new Set(await ask(headers)), new Set([403]), `${path} ${JSON.stringify(headers)}`)
      }
    }
    // A link from somewhere else leads to the page, and another page may ask how the meter is.
    for (const path of ['/', '/healthz', '/readyz', '/v1/openapi.json']) {
      assert.equal(await statusOf(api, path, 'GET', others[0]!), 200, path)
    }
  })
}

async function problemOf(api: Api, request: Request): Promise<string> {
  const response = await api.fetch(request)
  assert.equal(response.headers.get('content-type'), 'application/problem+json')
  const body = schemas.Problem.parse(await response.json())
  assert.equal(body.status, response.status)
  return `${body.status} ${body.title}: ${body.detail}`
}

test('everything that is wrong with a query is said at once, and what to do', async (context) => {
  const api = new Rig(context).api()
  const wrong = '/v1/sessions?limit=0&state=closed&colour=red&from=yesterday&device=a&device=b'
  assert.equal(
    await problemOf(api, get(wrong)),
    `400 Bad Request: "device": is given more than once; give it once
state "closed": give open, ended or final
from "yesterday": give an ISO 8601 time such as 2026-01-31T00:00:00Z, with + written as %2B
limit "0": give a whole number from 1 to 1000
"colour": is not known here; known are state, live, device, account, realm, server, class, from, to, cursor, limit`,
  )
  const lines = {
    '/v1/sessions?limit=1001': 'limit "1001": give a whole number from 1 to 1000',
    '/v1/sessions?limit=': 'limit "": give a whole number from 1 to 1000',
    '/v1/sessions?limit=1.5': 'limit "1.5": give a whole number from 1 to 1000',
    '/v1/sessions?cursor=-1': 'cursor "-1": give the "next" of the page before, as it is',
    '/v1/sessions?live=1': 'live "1": give true for those in which something that counts is open, false for the others',
    '/v1/sessions/1?id=2': '"id": is given more than once; give it once',
    '/v1/sessions?from=2026-02-01&to=2026-01-01': '"from" is not before "to"; give an earlier "from" or a later "to"',
    '/v1/sessions/one': 'id "one": give the id of a session, a whole number',
    '/v1/usage?by=user': 'by "user": give account, device, realm or server',
    '/v1/usage?bucket=1m': 'bucket "1m": give 5m, 1h or 1d (days of UTC)',
    '/v1/usage?cursor=x': 'cursor "x": give the "next" of the page before, as it is',
    '/v1/gaps?server=a': '"server": is not known here; known are cursor, limit',
    '/v1/rejected?limit=1': '"limit": is not known here; leave it out',
  }
  for (const [path, line] of Object.entries(lines)) {
    assert.equal(await problemOf(api, get(path)), `400 Bad Request: ${line}`, path)
  }
  const csv = get('/v1/sessions?limit=1', { Authorization: `Bearer ${TOKEN}`, Accept: 'text/csv' })
  assert.equal(await problemOf(api, csv), '400 Bad Request: limit: CSV holds all that match; leave it out')
})

test('what is not there, and what cannot be done, is said', async (context) => {
  const rig = new Rig(context)
  const api = rig.api()
  assert.equal(await problemOf(api, get('/v1/sessions/77')), '404 Not Found: There is no session 77.')
  assert.match(await problemOf(api, get('/v1/session')), /^404 Not Found: There is nothing at \/v1\/session;/)
  for (const path of ['/v1/sessions', '/v1/openapi.json', '/healthz', '/', '/index.html']) {
    const post = new Request(`http://127.0.0.1${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${TOKEN}` },
    })
    assert.match(await problemOf(api, post), /^405 Method Not Allowed: POST is not known here/)
    assert.equal((await api.fetch(post)).headers.get('allow'), 'GET, HEAD')
  }
  rig.ledger.db.exec('DROP TABLE gap')
  assert.equal(
    await problemOf(api, get('/v1/gaps')),
    '500 Internal Server Error: The meter could not answer this. Its log says why.',
  )
  assert.match(rig.errors[0]!.message, /no such table: gap/)
})

test('the page is served without a token, from its folder only, and may run nothing else', async (context) => {
  const rig = new Rig(context)
  const page = join(rig.folder, 'page')
  mkdirSync(join(page, 'assets'), { recursive: true })
  writeFileSync(join(page, 'index.html'), '<!doctype html>')
  writeFileSync(join(page, 'assets', 'page-1a2b.js'), 'export {}')
  const api = rig.api({ console: page })
  for (const path of ['/', '/index.html']) {
    const response = await api.fetch(get(path, {}))
    assert.equal(await response.text(), '<!doctype html>')
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8')
    assert.match(response.headers.get('content-security-policy')!, /^default-src 'none'; script-src 'self';/)
    assert.doesNotMatch(response.headers.get('content-security-policy')!, /unsafe/)
    assert.equal(response.headers.get('cache-control'), 'no-cache')
  }
  const script = await api.fetch(get('/assets/page-1a2b.js', {}))
  assert.deepEqual([script.status, script.headers.get('content-type')], [200, 'text/javascript; charset=utf-8'])
  assert.match(script.headers.get('cache-control')!, /immutable/)
  for (const path of [
    '/assets/',
    '/ledger.sqlite',
    '/../ledger.sqlite',
    '/%2e%2e/ledger.sqlite',
    '/assets/..%2f..%2fledger.sqlite',
  ]) {
    assert.equal((await api.fetch(get(path, {}))).status, 404, path)
  }
})

test('a page that is not built says how to build it', async (context) => {
  const response = await new Rig(context).api().fetch(get('/', {}))
  assert.match(await response.text(), /^The page is not built\. Build it with/)
})

test('sessions of a time are those that start in it', async (context) => {
  const rig = richRig(context)
  const api = rig.api()
  const devices = async (query: string) =>
    (await ask<{ sessions: { device: string }[] }>(api, `/v1/sessions?${query}`)).sessions.map(({ device }) => device)
  const iso = (ms: number) => new Date(START + ms).toISOString()
  assert.deepEqual(await devices(`from=${iso(0)}&to=${iso(1)}`), ['alice'])
  assert.deepEqual(await devices(`from=${iso(1)}`), ['carol', 'bob'])
  assert.deepEqual(await devices(`to=${iso(540_001)}`), ['bob', 'alice'])
  assert.deepEqual(await devices(`to=${iso(540_000)}`), ['alice'])
  assert.deepEqual(await devices('from=2026-01-02'), [])
  assert.deepEqual(await devices('from=2026-01-01T13:00:00%2B01:00&to=2026-01-01T13:00:01%2B01:00'), ['alice'])
})
