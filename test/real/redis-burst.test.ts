/** More than a million events at once, through a Redis: heard to the last, or cut off and a gap. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isClosed, isHearing, type Meter, readAccounts, readGaps, readPosition, startSubscriber } from './fettle.ts'
import { Ground, until } from './harness.ts'
import { ask, type Message, publish, type Redis, startRedis } from './redis.ts'

const ALLOCATIONS = 100
const EVENTS = 1_500_000
/** Reports of each allocation. */
const REPORTS = EVENTS / ALLOCATIONS

const pathOf = (i: number) =>
  `turn/realm/example.org/user/1795344209:device${i}/allocation/${String(i).padStart(18, '0')}`
const report = 'rcvp=1024, rcvb=1000000, sentp=1024, sentb=90000'
const all = (count: number, per = 1) => [1024, 1_000_000, 1024, 90_000].map((one) => one * count * per)
const textOf = (counts: readonly number[]) =>
  ['rcvp', 'rcvb', 'sentp', 'sentb'].map((name, k) => `${name}=${counts[k]}`).join(', ')

/** The same for each allocation, in turn. */
function* each(kind: string, text: string, times = 1): Generator<Message, undefined> {
  for (let i = 0; i < times * ALLOCATIONS; i++) yield { channel: `${pathOf((i % ALLOCATIONS) + 1)}/${kind}`, text }
}

const said = async (redis: Redis, kind: string, text: string, times = 1) => {
  const messages = each(kind, text, times)
  return await publish(redis, () => messages.next().value)
}

async function close(redis: Redis, reports: number): Promise<void> {
  await said(redis, 'status', 'deleted')
  await said(redis, 'total_traffic', textOf(all(reports)))
  await said(redis, 'total_traffic/peer', textOf([0, 0, 0, 0]))
}

const areClosed = (meter: Meter) => until('all closed', () => readAccounts(meter.data).every(isClosed), 60)

test('[R33, R35] a burst of 1.5 million events, with the buffer limit that we ask for, is heard to the last', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground, '--client-output-buffer-limit', 'pubsub 256mb 64mb 60')
  const meter = startSubscriber(ground, `redis://${redis.host}:${redis.port}`)
  await isHearing(meter)
  await said(redis, 'status', 'new lifetime=600')
  const began = performance.now()
  assert.equal(await said(redis, 'traffic', report, REPORTS), EVENTS)
  const published = performance.now()
  await close(redis, REPORTS)
  await areClosed(meter)
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  t.diagnostic(`published in ${seconds(published - began)}, stored ${seconds(performance.now() - published)} later`)
  assert.deepEqual(readGaps(meter.data), [])
  for (const { quality, client, unheardPackets } of readAccounts(meter.data)) {
    assert.deepEqual([quality, client, unheardPackets], ['exact', all(REPORTS), 0])
  }
  assert.doesNotMatch(meter.running.output, /cuts the meter off/)
})

test('[R33, R35] a meter that is cut off in such a burst records a gap and counts nothing wrong', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground)
  const meter = startSubscriber(ground, `redis://${redis.host}:${redis.port}`)
  await isHearing(meter)
  await until('the warning', () => meter.running.output.includes('cuts the meter off once 32 MB of events wait for it'))
  await said(redis, 'status', 'new lifetime=600')
  await said(redis, 'traffic', report, 10)
  await until('the first reports', () => readAccounts(meter.data).every(({ client }) => client[0] === 10_240))
  meter.running.kill('SIGSTOP')
  await said(redis, 'traffic', report, REPORTS)
  assert.match(redis.running.output, /overcoming of output buffer limits/)
  meter.running.kill('SIGCONT')
  await isHearing(meter, 2)
  const gap = await until('the gap', () => readGaps(meter.data)[0])
  assert.equal(gap.why, 'connection')
  const open = readAccounts(meter.data)
  const position = readPosition(meter.data)
  assert.ok(position < EVENTS)
  for (const { client, missingMax } of open) {
    assert.equal(client[1], client[0] * (1_000_000 / 1024))
    assert.ok(client[0] < 1024 * (REPORTS + 10))
    assert.equal(missingMax, null)
  }
  await ask(redis, ground, 'publish', `${pathOf(1)}/status`, 'deleted')
  await until('one closed', () => readAccounts(meter.data).some(({ ended }) => ended === 'deleted'))
  await close(redis, REPORTS + 10)
  await areClosed(meter)
  for (const { quality, client } of readAccounts(meter.data)) {
    assert.deepEqual([quality, client], ['exact', all(REPORTS + 10)])
  }
  assert.equal(readGaps(meter.data).length, 1)
  t.diagnostic(`${position} of ${EVENTS + 1100} events heard; a gap of ${gap.ms} ms; exact by the totals`)
})
