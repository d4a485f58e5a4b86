import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { demoExamples } from '../../src/relay/demo.ts'
import { User, words } from '../terminal.ts'

test('the examples in help run: a recording, a page, calls that come and go; nothing stays', async (t) => {
  const user = new User(t)
  const { out: help } = await user.run('relay', 'demo', '--help')
  for (const line of help.split('\n')) assert(line.length <= 80, line)
  for (const example of demoExamples) {
    assert(help.includes(example), example)
    const demo = user.start(...words(example))
    const [, http, token] = await demo.shows(/^page: +(http:\/\/127\.0\.0\.1:\d+)\/#token=(\S+)$/m)
    const [, folder] = await demo.shows(/relay tail --data (\S+)$/m)
    assert.match(demo.out, /RECORDING/)
    await demo.shows(/^\d\d:\d\d:\d\d {2}desk-01 calls desk-02: video$/m)
    const answer = await fetch(`${http}/v1/sessions?limit=1`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(answer.status, 200)
    const isFast = example.includes('--speed')
    if (isFast)
      await demo.shows(/^\d\d:\d\d:\d\d {2}session over: desk-03 \(east\) {2}relayed .* in 1\.68 MB, out 33\.9 MB$/m)
    assert(existsSync(folder!))
    const list = () => user.run('relay', 'sessions', '--live', '--data', folder!)
    while (!isFast && !/desk-0[12] +open/.test((await list()).out)) await pause(20)
    demo.interrupt()
    const { status, out, err } = await demo.ended
    assert.deepEqual([status, err], [0, ''])
    assert(!existsSync(folder!))
    for (const line of out.split('\n')) assert(line.length <= 80, line)
  }
})

test('a session of the demo has what the recording says, to the byte, and an account', async (t) => {
  const user = new User(t)
  const demo = user.start('relay', 'demo', '--speed', '20')
  const [, folder] = await demo.shows(/relay tail --data (\S+)$/m)
  await demo.shows(/session over: desk-01 \(north\)/)
  const { out } = await user.run('relay', 'sessions', '--device', 'desk-01', '--json', '--data', folder!)
  const [session] = JSON.parse(out).sessions
  const client = { receivedBytes: 5132019, receivedPackets: 5437, sentBytes: 200232, sentPackets: 2504 }
  assert.deepEqual(session.client, client)
  assert.deepEqual([session.account, session.end, session.quality], ['north', 'deleted', 'exact'])
})

const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['a speed that is none', ['--speed', 'fast'], /^fettle: --speed "fast": is no number from 0\.1 to 100\n$/],
  ['a speed of nothing', ['--speed', '0'], /^fettle: --speed "0": is no number from 0\.1 to 100\n$/],
  ['an address that is none', ['--http', 'nowhere'], /^fettle: --http "nowhere": is no HOST:PORT.*\n$/],
]
for (const [what, line, pattern] of wrong) {
  test(`${what}: one line, status 2`, async (t) => {
    const { status, out, err } = await new User(t).run('relay', 'demo', ...line)
    assert.deepEqual([status, out], [2, ''])
    assert.match(err, pattern)
  })
}

test('a port that is taken: one line, status 3', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const { status, out, err } = await new User(t).run('relay', 'demo', '--http', `127.0.0.1:${port}`)
  assert.deepEqual([status, out], [3, ''])
  assert.match(err, /^fettle: 127\.0\.0\.1:\d+: something else listens there already.*\n$/)
})
