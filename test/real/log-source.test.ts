/** One run of a real coturn, heard by the endpoint in one ledger and read from its log in another. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { carriedBy, startCall, startCoturn, startPeer } from './coturn.ts'
import { type Account, fettle, readAccounts, readGaps, startMeter } from './fettle.ts'
import { exitOf, Ground, type Running, until } from './harness.ts'

test('[R42, R43] the log tells the same as the endpoint, to the byte; a meter that is killed misses nothing of it', async (t) => {
  const ground = new Ground(t)
  const log = join(ground.folder, 'turnserver.log')
  const heard = await startMeter(ground, 'heard')
  startPeer(ground)
  const coturn = await startCoturn(ground, heard.statsdb, 3, ['--new-log-timestamp'], log)
  await until('coturn connected', () => heard.running.output.includes('coturn turn1 connected'))
  const data = join(ground.folder, 'followed')
  const follow = async (): Promise<Running> => {
    const running = fettle(ground, 'relay', 'serve', '--data', data, '--resp', 'off', '--log', log)
    await until('the log read', () => {
      if (running.status !== undefined) throw new Error(`fettle ended with ${running.status}: ${running.output}`)
      return running.output.includes('read to its end')
    })
    return running
  }
  const first = await follow()
  await carriedBy(startCall(ground, { user: 'before', messages: 800, bytes: 300, transport: 'tcp' }))
  const through = startCall(ground, { user: 'through', messages: 12_000, bytes: 200, intervalMs: 1, transport: 'tcp' })
  await until('some of it stored', () => readAccounts(data).some(({ peer, ended }) => ended === 'open' && peer[0] > 0))
  first.kill('SIGKILL')
  await exitOf(first)
  await carriedBy(startCall(ground, { user: 'inside', messages: 2500, bytes: 250, clients: 2 }))
  await follow()
  await carriedBy(through)
  const ids = () => carried(heard.data).length
  await until('all calls closed', () => ids() === 4 && carried(data).length === 4, 40)
  assert.deepEqual(facts(data), facts(heard.data))
  assert.deepEqual(readGaps(data), [], 'nothing was missed, so no gap')
  assert.ok(carried(data).every(({ quality, startKnown }) => quality === 'exact' && startKnown))
  assert.ok(coturn.running.status === undefined)
  t.diagnostic(`${facts(data).length} allocations equal`)
})

const carried = (data: string) => readAccounts(data).filter(({ ended, peer }) => ended === 'deleted' && peer[0] > 0)

/** Path and eight counters of what is over and carried. */
function facts(data: string): string[] {
  const words = ({ id, username, client, peer }: Account) => JSON.stringify({ id, username, client, peer })
  return carried(data).map(words).sort()
}
