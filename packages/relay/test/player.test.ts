import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labelOf, readTemplate } from '../src/core/session.ts'
import { PLAYED_TEMPLATE, type PlayedCall, play } from '../src/player.ts'
import { openEndpoint, until } from './resp-endpoint.ts'

test('what was recorded is played as coturn would say it: new names and ids, the same counters', async (t) => {
  const endpoint = await openEndpoint(t)
  const stop = new AbortController()
  const calls: PlayedCall[] = []
  const { port } = endpoint
  const options = { host: '127.0.0.1', port, token: 'tok1', speed: 100, signal: stop.signal }
  const playing = play({ ...options, on: (call) => calls.push(call) })
  const totals = () => endpoint.lines.filter((line) => / total /.test(line))
  await until(() => totals().length >= 12, 'the ends of six calls')
  stop.abort()
  await playing

  assert.deepEqual(
    calls.slice(0, 4).map(({ what }) => what),
    ['video', 'file transfer', 'video', 'file transfer over TCP'],
  )
  const template = readTemplate(PLAYED_TEMPLATE)
  assert(!('problem' in template))
  const paths = new Set(totals().map((line) => line.split(' ')[4]!))
  assert.equal(paths.size, totals().length, 'each allocation has a path of its own')
  for (const path of paths) {
    const [, username = ''] = /^turn\/realm\/example\.org\/user\/(.*)\/allocation\/\d{18}$/.exec(path) ?? []
    const { fits, device, account } = labelOf(template, '', username)
    assert(fits && /^desk-\d\d$/.test(device) && account !== null, path)
    const lines = endpoint.lines.filter((line) => line.includes(` ${path} `))
    const sum = [0, 0, 0, 0]
    for (const line of lines.filter((one) => / traffic /.test(one))) {
      for (const [k, value] of line.split(' ').slice(5).entries()) sum[k]! += Number(value)
    }
    const total = lines.find((line) => / total /.test(line))!
    assert.deepEqual(total.split(' ').slice(5).map(Number), sum)
    assert.match(lines[0]!, /^turn1 boot \d+: opened /)
  }
  assert.deepEqual(
    endpoint.lines.filter((line) => / malformed | gap /.test(line)),
    [],
  )
})

test('an endpoint that is not there is told', async (t) => {
  const endpoint = await openEndpoint(t)
  await endpoint.stop()
  const { signal } = new AbortController()
  const options = { host: '127.0.0.1', port: endpoint.port, token: 'tok1', speed: 1, signal, on: () => {} }
  await assert.rejects(play(options), /ECONNREFUSED/)
})
