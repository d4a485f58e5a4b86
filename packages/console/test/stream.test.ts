import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { LiveChange } from '@fettle/relay/api'
import { type Connection, follow } from '../src/live/stream.ts'
import { snapshot } from './made.ts'

/** A server that answers one request after the other as it is told, and what the follower says of it. */
async function stage(context: TestContext, answers: ((response: ServerResponse) => void)[]) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    answers.shift()?.(response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const said: (string | Connection)[] = []
  let wake = () => {}
  const say = (what: string | Connection) => {
    said.push(what)
    wake()
  }
  const follower = follow({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/live`,
    token: 'secret',
    snapshot: ({ commit }) => say(`snapshot ${commit}`),
    change: ({ commit }) => say(`change ${commit}`),
    connection: say,
  })
  context.after(() => {
    follower.stop()
    server.closeAllConnections()
    server.close()
  })
  const until = async (length: number) => {
    while (said.length < length) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return said
  }
  return { requests, until, follower }
}

const message = (event: string, data: unknown, id: number) =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
const first = message('snapshot', snapshot([]), 10)
const change: Partial<LiveChange> = { commit: 11 }

test('a stream is followed, and taken up again with the last id after it broke', async (context) => {
  const { requests, until, follower } = await stage(context, [
    (response) => response.write(first + message('change', change, 11), () => response.destroy()),
    (response) => response.writeHead(503).end(),
    (response) => response.write(first),
  ])
  const said = await until(5)
  assert.deepEqual(said.slice(0, 4), [{ kind: 'connecting' }, 'snapshot 10', 'change 11', { kind: 'live' }])
  const lost = said[4] as Connection & { kind: 'lost' }
  assert.equal(lost.kind, 'lost')
  assert.ok(Math.abs(Date.now() - lost.since!) < 2000, `since ${lost.since}`)

  follower.tryNow()
  assert.equal(((await until(6))[5] as { why: string }).why, 'the meter answered with status 503')
  follower.tryNow()
  assert.deepEqual((await until(8)).slice(6), ['snapshot 10', { kind: 'live' }])
  assert.deepEqual(
    requests.map(({ headers }) => [headers.authorization, headers['last-event-id']]),
    [
      ['Bearer secret', undefined],
      ['Bearer secret', '11'],
      ['Bearer secret', '11'],
    ],
  )
})

test('it comes back by itself', async (context) => {
  const { until } = await stage(context, [
    (response) => response.write(first, () => response.destroy()),
    (response) => response.write(first),
  ])
  const said = await until(6)
  assert.deepEqual(said.slice(4), ['snapshot 10', { kind: 'live' }])
})

test('a token that is refused is not tried again', async (context) => {
  const { requests, until, follower } = await stage(context, [(response) => response.writeHead(401).end()])
  assert.deepEqual(await until(2), [{ kind: 'connecting' }, { kind: 'refused' }])
  follower.tryNow()
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(requests.length, 1)
})

test('a computer that slept for an hour finds out at once that its connection is dead', async (context) => {
  const { requests, until } = await stage(context, [
    (response) => response.write(first),
    (response) => response.write(first),
  ])
  await until(3)
  const heardAt = Date.now()
  context.mock.method(Date, 'now', () => heardAt + 3_600_000)
  const lost = (await until(4))[3] as Connection & { kind: 'lost' }
  assert.equal(lost.why, 'nothing was heard any more')
  assert.ok(Math.abs(heardAt - lost.since!) < 2000, `since ${lost.since}`)
  assert.deepEqual((await until(6)).slice(4), ['snapshot 10', { kind: 'live' }])
  assert.equal(requests.length, 2)
})

test('what answers but is no meter is no connection', async (context) => {
  const { until } = await stage(context, [(response) => response.end('<p>Please sign in to this network.</p>')])
  const [, lost] = await until(2)
  assert.deepEqual(lost, { kind: 'lost', since: undefined, why: 'the meter ended the connection' })
})

test('a stream that makes no sense is let go, not left open beside the next', async (context) => {
  const closed = Promise.withResolvers<void>()
  const { until } = await stage(context, [
    (response) => response.on('close', closed.resolve).write('event: snapshot\ndata: {\n\n'),
  ])
  assert.equal(((await until(2))[1] as Connection).kind, 'lost')
  await closed.promise
})
