/** Looking at a Redis leaves it as it was: whatever becomes of who looks, or of the server. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Report } from '@fettle/report'
import { fettle, fettleWith, launcher } from '../fettle.ts'
import { exitOf, find, Ground, type Running, until } from '../harness.ts'
import { ask, type Redis, startRedis } from '../redis.ts'
import { startLoad, step } from './load.ts'

/** Most of the time is waiting. */
const AT_ONCE = 2

const check = (ground: Ground, { host, port }: Redis, ...more: string[]) =>
  fettle(ground, 'redis', 'check', `redis://${host}:${port}`, '--data', dataOf(ground), '--json', ...more)

const dataOf = (ground: Ground) => join(ground.folder, 'data')

/** What is borrowed and not given back, as far as the disk knows. */
function borrowed(ground: Ground): string[] {
  const folder = join(dataOf(ground), 'borrowed')
  return existsSync(folder) ? readdirSync(folder) : []
}

async function reportOf(running: Running, seconds = 30): Promise<Report> {
  const status = await exitOf(running, seconds)
  assert.ok(status === 0 || status === 1, `${status}: ${running.output}`)
  assert.equal(running.complaints, '')
  return JSON.parse(running.output) as Report
}

const cellsOf = ({ tables }: Report, name: string) => tables.find((one) => one.name === name)?.rows ?? []
const codesOf = ({ findings }: Report) => findings.map(({ code }) => code)

async function thresholdOf(redis: Redis, ground: Ground): Promise<string> {
  return (await ask(redis, ground, 'config', 'get', 'slowlog-log-slower-than'))[1]!
}

/** Asks until the answer is this; a window is open for a moment only. */
const untilThreshold = (redis: Redis, ground: Ground, value: string) =>
  until(`slowlog-log-slower-than ${value}`, async () => (await thresholdOf(redis, ground)) === value)

const untilBorrowed = (ground: Ground) => until('something borrowed', () => borrowed(ground).length > 0)

/** So many commands that windows are short, and so few that they make a machine of two cores no trouble. */
const startTraffic = (t: TestContext, redis: Redis, command: string) =>
  startLoad(t, redis, {
    seed: [],
    clients: [{ name: '', connections: 4, pace: { perSecond: 3000 }, steps: [step(command)] }],
  })

/** As many commands as there is CPU for. */
function startFlood(ground: Ground, { host, port }: Redis, ...more: string[]): Running {
  const words = ['-h', host, '-p', `${port}`, '-c', '4', '-n', '100000000', '-q', '-r', '1000', ...more]
  return ground.start(find('redis-benchmark'), words)
}

/** As the user without CONFIG. */
function guest(ground: Ground, { host, port }: Redis, ...more: string[]): Running {
  const words = ['redis', 'check', `redis://guest@${host}:${port}`, '--data', dataOf(ground), '--json', ...more]
  const file = join(ground.folder, 'guest.password')
  writeFileSync(file, 'any\n')
  return fettle(ground, ...words, '--password-file', file)
}

describe('a look, whatever becomes of it', { concurrency: AT_ONCE }, () => {
  // The longest first, so that nobody waits for it at the end.
  test('[D9] a server that restarts, one whose counters are reset, and one that hangs', async (t) => {
    const ground = new Ground(t)
    const redis = await startRedis(ground)
    await startTraffic(t, redis, 'PING')
    const reset = check(ground, redis, '--sample', '--for', '4')
    await untilBorrowed(ground)
    await wait(1000)
    await ask(redis, ground, 'config', 'resetstat')
    const told = await reportOf(reset)
    assert.ok(told.unseen.some(({ why }) => /restarted or its counters were reset/.test(why)))
    assert.deepEqual(cellsOf(told, 'use'), [])

    const hung = check(ground, redis, '--sample', '--for', '60')
    await untilBorrowed(ground)
    redis.running.kill('SIGSTOP')
    assert.equal(await exitOf(hung, 40), 3)
    assert.match(hung.output, /^fettle: redis:\S+: slowlog-log-slower-than may still be changed there from 10000/)
    assert.equal(hung.output.split('\n').length, 2)
    redis.running.kill('SIGCONT')
    await reportOf(check(ground, redis, '--for', '1'))
    assert.equal(await thresholdOf(redis, ground), '10000')

    const cut = check(ground, redis, '--sample', '--for', '60')
    await untilBorrowed(ground)
    redis.running.kill('SIGKILL')
    assert.equal(await exitOf(cut), 3)
    assert.match(cut.output, /^fettle: redis:\S+: .*(?:nothing listens there|closed the connection)/)
  })

  test('[D7] what a killed look has left behind is put back by the next one, which says so', async (t) => {
    const ground = new Ground(t)
    const redis = await startRedis(ground)
    // Nobody asks anything: a window is long, and open most of the time.
    const first = check(ground, redis, '--sample', '--for', '60')
    await untilThreshold(redis, ground, '0')
    first.kill('SIGKILL')
    await exitOf(first)
    // Whether the server had still closed the window is a matter of luck; the test is about when it had not.
    await ask(redis, ground, 'config', 'set', 'slowlog-log-slower-than', '0')
    assert.equal(borrowed(ground).length, 1)
    const report = await reportOf(check(ground, redis, '--for', '1'))
    assert.deepEqual(
      report.findings.filter(({ code }) => code === 'redis.setting-restored').map(({ subject }) => subject),
      ['slowlog-log-slower-than 10000'],
    )
    assert.equal(await thresholdOf(redis, ground), '10000')
    assert.deepEqual(borrowed(ground), [])
    assert.ok(!codesOf(await reportOf(check(ground, redis, '--for', '1'))).includes('redis.setting-restored'))
  })

  test('[D7] a look that is stopped in a window does not hold it open, and ends as if nothing had been', async (t) => {
    const ground = new Ground(t)
    const redis = await startRedis(ground)
    const running = check(ground, redis, '--sample', '--for', '4')
    await untilThreshold(redis, ground, '0')
    running.kill('SIGSTOP')
    await wait(600)
    // Nobody but the server itself can have closed it.
    for (let i = 0; i < 5; i++) assert.equal(await thresholdOf(redis, ground), '1997')
    running.kill('SIGCONT')
    await reportOf(running)
    assert.equal(await thresholdOf(redis, ground), '10000')
    assert.deepEqual(borrowed(ground), [])
  })

  test('[D7] Ctrl-C in the middle: what was seen until then is reported, and all is as it was', async (t) => {
    const ground = new Ground(t)
    const redis = await startRedis(ground)
    await startTraffic(t, redis, 'PING')
    const running = check(ground, redis, '--sample', '--for', '60')
    await untilBorrowed(ground)
    await wait(2500)
    running.kill('SIGINT')
    const report = await reportOf(running)
    assert.ok(cellsOf(report, 'commands').length > 0)
    assert.equal(await thresholdOf(redis, ground), '10000')
    assert.deepEqual(borrowed(ground), [])
  })

  test('[D7] two looks at one server: the second waits for nobody and changes nothing', async (t) => {
    const ground = new Ground(t)
    const redis = await startRedis(ground)
    const first = check(ground, redis, '--sample', '--for', '5')
    await untilBorrowed(ground)
    const second = check(ground, redis, '--sample', '--for', '5')
    assert.equal(await exitOf(second), 3)
    assert.match(
      second.output,
      /^fettle: redis:\/\/\S+: process \d+ is looking at it already; wait for it, or end it\n$/,
    )
    await reportOf(first)
  })

  test('[D7] of a look with another data folder the server tells: it is refused as well, and one that was killed is told', async (t) => {
    const ground = new Ground(t)
    const redis = await startRedis(ground)
    const first = check(ground, redis, '--sample', '--for', '60')
    await untilThreshold(redis, ground, '0')
    const elsewhere = ['redis', 'check', `${redis.host}:${redis.port}`, '--for', '1', '--json', '--data', ground.folder]
    const second = fettle(ground, ...elsewhere)
    assert.equal(await exitOf(second), 3)
    assert.match(second.output, /^fettle: redis:\S+: fettle at \S+:\d+ logs every command there for moments; wait/)
    await untilThreshold(redis, ground, '1997')
    first.kill('SIGKILL')
    await exitOf(first)
    await ask(redis, ground, 'config', 'set', 'slowlog-log-slower-than', '1997')
    const { findings } = await reportOf(fettle(ground, ...elsewhere, '--sample'))
    assert.ok(findings.some(({ code, subject }) => code === 'redis.setting-left' && / 1997$/.test(subject)))
    assert.equal(await thresholdOf(redis, ground), '1997')
    await reportOf(check(ground, redis, '--for', '1'))
    assert.equal(await thresholdOf(redis, ground), '10000')
  })

  test('[D7] what somebody sets between two windows stands in the end, whatever it is', async (t) => {
    const ground = new Ground(t)
    const redis = await startRedis(ground)
    await startTraffic(t, redis, 'PING')
    for (const value of ['0', '2000']) {
      await ask(redis, ground, 'config', 'set', 'slowlog-log-slower-than', '10000')
      const running = check(ground, redis, '--sample', '--for', '4')
      await untilBorrowed(ground)
      // Some may fall into windows, in which 0 is what we have set ourselves; not all do, at such distances.
      for (let i = 0; i < 12; i++) {
        await wait(40 + 37 * (i % 5))
        await ask(redis, ground, 'config', 'set', 'slowlog-log-slower-than', value)
      }
      await reportOf(running)
      assert.equal(await thresholdOf(redis, ground), value)
    }
  })

  test('[D7] a report that cannot be written is status 3, and all is as it was', async (t) => {
    const ground = new Ground(t)
    const redis = await startRedis(ground)
    const words = [
      'redis',
      'check',
      `redis://${redis.host}:${redis.port}`,
      '--sample',
      '--for',
      '1',
      '--data',
      dataOf(ground),
    ]
    const running = ground.start('/bin/sh', ['-c', 'exec "$@" > /dev/full', 'sh', process.execPath, launcher, ...words])
    assert.equal(await exitOf(running), 3)
    assert.equal(running.output, 'fettle: standard output cannot be written (ENOSPC)\n')
    assert.equal(await thresholdOf(redis, ground), '10000')
    assert.deepEqual(borrowed(ground), [])
  })

  test('[D9] what the server does not let us see is said, step by step', async (t) => {
    const ground = new Ground(t)
    const redis = await startRedis(ground)
    await startTraffic(t, redis, 'PING')
    for (const [rights, told] of [
      [['+@all', '-config', '+config|get'], ['who asks for which keys']],
      [
        ['+@all', '-config'],
        ['its settings', 'who asks for which keys'],
      ],
      [
        ['+@all', '-config', '-client|list'],
        ['its connections', 'its settings', 'who asks for which keys'],
      ],
      [
        ['+info', '+ping', '+auth'],
        ['its connections', 'its settings', 'slow commands', 'who asks for which keys'],
      ],
      [
        ['+ping', '+auth'],
        ['its counters', 'its connections', 'its settings', 'slow commands', 'the load'],
      ],
    ] as const) {
      await ask(redis, ground, 'acl', 'setuser', 'guest', 'reset', 'on', 'nopass', '~*', ...rights)
      const report = await reportOf(guest(ground, redis, '--sample', '--for', '1'))
      assert.deepEqual(report.unseen.map(({ what }) => what).sort(), [...told].sort(), rights.join(' '))
      assert.ok(
        report.unseen.slice(0, told.length - 1).every(({ why }) => /NOPERM|the server says|permitted/.test(why)),
      )
    }
  })

  test('[D9] a password comes from the environment or a file, never from the arguments, and a wrong one is told', async (t) => {
    const ground = new Ground(t)
    const redis = await startRedis(ground, '--requirepass', 'geheim%20:@/')
    const url = `redis://${redis.host}:${redis.port}`
    const file = join(ground.folder, 'password')
    writeFileSync(file, 'geheim%20:@/\r\n')
    const words = ['redis', 'check', url, '--for', '1', '--json', '--data', dataOf(ground)]
    const launched = (environment: NodeJS.ProcessEnv, ...more: string[]) =>
      fettleWith(environment, ground, ...words, ...more)
    for (const running of [launched({ REDISCLI_AUTH: 'geheim%20:@/' }), launched({}, '--password-file', file)]) {
      const report = await reportOf(running)
      assert.ok(!running.output.includes('geheim'))
      assert.ok(cellsOf(report, 'server').some((row) => row[0] === 'password' && row[1] === 'needed'))
    }
    for (const [running, told] of [
      [launched({}), /asks for a password; set REDISCLI_AUTH, or give --password-file\n$/],
      [launched({ REDISCLI_AUTH: 'falsch' }), /refused the password \(WRONGPASS/],
      [launched({}, '--password-file', join(ground.folder, 'none')), /none: cannot be read \(ENOENT\)\n$/],
    ] as const) {
      assert.equal(await exitOf(running), 3)
      assert.match(running.output, told)
      assert.equal(running.output.split('\n').length, 2)
    }
  })

  test('[D9] a replica is looked at like any other, and says whose it is', async (t) => {
    const ground = new Ground(t)
    const primary = await startRedis(ground)
    const other = ground.address(9)
    const words = [
      '--bind',
      other,
      '--port',
      '6379',
      '--dir',
      ground.folder,
      '--save',
      '',
      '--dbfilename',
      'replica.rdb',
    ]
    const running = ground.start(find('redis-server'), [...words, '--replicaof', primary.host, `${primary.port}`])
    await until('the replica in step', () => running.output.includes('MASTER <-> REPLICA sync: Finished with success'))
    const replica = { running, host: other, port: 6379 }
    await startTraffic(t, replica, 'GET key:{1000}')
    const report = await reportOf(check(ground, replica, '--sample', '--for', '3'))
    assert.ok(cellsOf(report, 'use').some((row) => row[0] === 'get' && row[1] === 'key:*'))
    assert.ok(cellsOf(report, 'server').some((row) => row[1] === `replica of ${primary.host}:${primary.port}`))
    assert.equal(await thresholdOf(replica, ground), '10000')
  })
})

test('[D8] MONITOR costs the server no memory to speak of, even when who reads it is stopped', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground)
  // What a managed service permits.
  await ask(redis, ground, 'acl', 'setuser', 'guest', 'on', 'nopass', '~*', '+@all', '-config')
  const used = async () => {
    const info = await ask(redis, ground, 'info', 'memory')
    return Number(/used_memory:(\d+)/.exec(info.join('\n'))![1])
  }
  startFlood(ground, redis, '-P', '8', 'set', 'key:__rand_int__', 'x'.repeat(400))
  await wait(500)
  const before = await used()
  const running = guest(ground, redis, '--monitor', '--for', '6')
  let [stops, most] = [0, 0]
  while (running.status === undefined) {
    const isWatched = (await ask(redis, ground, 'client', 'list')).some((line) => / flags=O /.test(line))
    if (isWatched && stops < 3) {
      running.kill('SIGSTOP')
      stops++
      await wait(500)
      assert.ok(!(await ask(redis, ground, 'client', 'list')).some((line) => / flags=O /.test(line)))
      running.kill('SIGCONT')
    }
    most = Math.max(most, await used())
  }
  const report = await reportOf(running)
  assert.ok(stops > 0, 'MONITOR was never met: nothing is shown')
  assert.ok(cellsOf(report, 'monitor').some((row) => row[0] === 'set' && row[1] === 'key:*'))
  const grown = most - before
  assert.ok(grown < 16e6, `${grown} bytes more`)
  t.diagnostic(`stopped ${stops} times with MONITOR running; memory grew by ${Math.round(grown / 1000)} kB at most`)
})
