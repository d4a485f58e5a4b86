/** What burns the CPU of a Redis, on a terminal; and that both are as they were when it has ended, however that was. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { redisWatch } from '@fettle/redis'
import { fettle, launcher } from '../fettle.ts'
import { exitOf, Ground, until } from '../harness.ts'
import { ask, type Redis, startRedis } from '../redis.ts'
import { Terminal } from '../terminal.ts'
import { type Load, startLoad, step } from './load.ts'

const LOAD: Load = {
  seed: [['EVAL', "for i=1,100000 do redis.call('SET','user:'..i..':profile','x') end", '0']],
  clients: [
    { name: 'web', connections: 3, pace: { perSecond: 300 }, steps: [step('GET user:{100000}:profile')] },
    { name: 'reporter', pace: { perSecond: 1 }, steps: [step('KEYS user:{9}*:profile')] },
  ],
}

const dataOf = (ground: Ground) => join(ground.folder, 'data')
const urlOf = ({ host, port }: Redis) => `redis://${host}:${port}`

async function thresholdOf(redis: Redis, ground: Ground): Promise<string> {
  return (await ask(redis, ground, 'config', 'get', 'slowlog-log-slower-than'))[1]!
}

async function assertUntouched(redis: Redis, ground: Ground): Promise<void> {
  assert.equal(await thresholdOf(redis, ground), '12345')
  assert.deepEqual(readdirSync(join(dataOf(ground), 'borrowed')), [])
}

/** In a terminal, `./watch` begins to watch; its process id is in the file `pid`. */
async function prepare(t: TestContext): Promise<{ ground: Ground; redis: Redis; terminal: Terminal; pid(): number }> {
  const ground = new Ground(t)
  const redis = await startRedis(ground, '--slowlog-log-slower-than', '12345')
  const words = `"${process.execPath}" "${launcher}" redis watch ${urlOf(redis)} --data "${dataOf(ground)}"`
  writeFileSync(join(ground.folder, 'watch'), `echo $$ > pid\nexec ${words} "$@"\n`, { mode: 0o700 })
  const terminal = await Terminal.open(ground, 80, 24)
  return { ground, redis, terminal, pid: () => Number(readFileSync(join(ground.folder, 'pid'), 'utf8')) }
}

const STATUS = (status: number) => new RegExp(`^status=${status}$`, 'm')
const start = (terminal: Terminal, ...more: string[]) =>
  terminal.type(`clear; sh watch ${more.join(' ')}; echo "status=$?"`)

/** Most of the time is waiting. */
const AT_ONCE = 2

describe('whoever watches', { concurrency: AT_ONCE }, () => {
  // The longest first, so that nobody waits for it at the end.
  test('[D21, D22] a server that hangs is said on the screen; where nothing can be drawn there are pictures in turn', async (t) => {
    const { ground, redis, terminal } = await prepare(t)
    await start(terminal)
    await terminal.shows(/^last \d+ s {2}/m)
    redis.running.kill('SIGSTOP')
    await terminal.shows(/^no answer for 1[2-9] s$/m)
    redis.running.kill('SIGCONT')
    await terminal.shows(/^redis.*\nlast /m)
    await terminal.press('q')
    await terminal.shows(STATUS(0))

    const before = await terminal.state()
    await terminal.type('clear; TERM=dumb sh watch; echo "status=$?"')
    await terminal.shows(/^redis.*\nlast (?:.|\n)*\n\nredis.*\nlast /m, 30)
    await terminal.press('\u0003')
    await terminal.shows(STATUS(0))
    assert.equal(await terminal.state(), before)

    for (const example of redisWatch.examples) {
      const words = example.split(' ').map((word) => (/127\.0\.0\.1/.test(word) ? urlOf(redis) : word))
      const running = fettle(ground, ...words.slice(1), '--data', dataOf(ground))
      await until('a picture', () => /^last \d+ s {2}/m.test(running.output))
      running.kill('SIGINT')
      assert.equal(await exitOf(running), 0, running.output)
      assert.ok(!running.output.includes('\u001b'))
      assert.match(running.output, /\n\nredis:\/\/\S+ was watched for \d+ s; its settings are as they were\.\n$/)
    }
    assert.equal(await thresholdOf(redis, ground), '12345')
    assert.ok(!existsSync(join(dataOf(ground), 'reports')))
  })

  test('[D20, D21, D22] who burns it is on the screen, in whatever size; q ends it and all is as it was', async (t) => {
    const { ground, redis, terminal } = await prepare(t)
    await startLoad(t, redis, LOAD)
    const before = await terminal.state()
    await start(terminal, '--sample')
    const screen = await terminal.shows(/^keys +user:\*:profile +reporter +\d/m)
    const lines = screen.trimEnd().split('\n')
    t.diagnostic(`80x24:\n${screen}`)
    assert.ok(lines.length <= 24 && lines.every((line) => line.length <= 80))
    assert.match(
      lines[0]!,
      /^redis:\/\/127\.\S+:6379 {2}Redis \d+\.\d+\.\d+ {2}master {2}\d\d:\d\d:\d\d UTC {2}q quits, \? keys$/,
    )
    assert.match(lines[1]!, /^last \d+ s {2}\S+ k?\/s {2}CPU \S+ % of a core {2}batch \S+ {2}\d clients {2}\S+ MB$/)
    await terminal.shows(/^get +user:\*:profile +web +/m)
    await terminal.shows(/^\d\d:\d\d:\d\d +\S+ ms +KEYS user:\*:profile +reporter$/m)
    await terminal.shows(/^fault +KEYS user:\*:profile: was slow \d+ times?: /m)
    await terminal.shows(/^CPU +[▁▂▃▄▅▆▇█]{5,60}$/m)

    await terminal.press('s')
    await terminal.shows(/^COMMAND +KEYS +CLIENT +CALLS +EXECUTING\nget /m)
    await terminal.press('?')
    await terminal.shows(/^q {2}quits/m)
    await terminal.press('?p')
    const still = await terminal.shows(/^PAUSED {2}redis/)
    await until('two more windows', async () => (await thresholdOf(redis, ground)) !== '12345')
    assert.equal(await terminal.screen(), still)
    await terminal.press('p')
    await terminal.resize(60, 15)
    const small = (await terminal.shows(/^redis(?:.|\n)*^COMMAND +KEYS +CLIENT +CALLS\n/m)).trimEnd().split('\n')
    assert.ok(small.length <= 15 && small.every((line) => line.length <= 60), small.join('\n'))
    assert.ok(small.some((line) => line.startsWith('fault')))
    await terminal.resize(120, 40)
    await terminal.shows(/^100 %(?:.*\n){3}0 % /m)
    await terminal.resize(80, 24)

    await terminal.press('q')
    const after = await terminal.shows(STATUS(0))
    assert.match(after, /^redis:\/\/\S+ was watched for \d+ s; its settings are as they were\.\nstatus=0$/m)
    assert.equal(await terminal.state(), before)
    await assertUntouched(redis, ground)
  })

  test('[D22] Ctrl-C, SIGTERM, SIGHUP, a lost connection, a bug: the terminal is as it was', async (t) => {
    const { ground, redis, terminal, pid } = await prepare(t)
    const before = await terminal.state()
    for (const signal of ['Ctrl-C', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      await start(terminal, '--sample')
      await terminal.shows(/^last \d+ s {2}/m)
      if (signal === 'Ctrl-C') await terminal.press('\u0003')
      else process.kill(pid(), signal)
      await terminal.shows(STATUS(0))
      assert.equal(await terminal.state(), before, signal)
      await assertUntouched(redis, ground)
    }
    // Thrown where nobody catches it.
    const bug =
      "import { existsSync } from 'node:fs'\nsetInterval(() => { if (existsSync('now')) throw new Error('a bug') }, 20)\n"
    writeFileSync(join(ground.folder, 'bug.mjs'), bug)
    await terminal.type('clear; NODE_OPTIONS="--import ./bug.mjs" sh watch; echo "status=$?"')
    await terminal.shows(/^last \d+ s {2}/m)
    writeFileSync(join(ground.folder, 'now'), '')
    const thrown = await terminal.shows(STATUS(1))
    assert.match(thrown, /^Error: a bug$/m)
    assert.equal(await terminal.state(), before)

    await start(terminal, '--sample')
    await terminal.shows(/^last \d+ s {2}/m)
    redis.running.kill('SIGKILL')
    const lost = await terminal.shows(STATUS(3))
    assert.match(lost, /^fettle: redis:\/\/\S+:.*\n(?:.*\n)*status=3$/m)
    assert.doesNotMatch(lost, /^ +at /m)
    assert.equal(await terminal.state(), before)
  })

  test('[D7] what somebody sets while one watches stands in the end, whether a window is open then or not', async (t) => {
    const { ground, redis, terminal } = await prepare(t)
    // With nobody there windows are long and open most of the time; with many clients they are short.
    for (const isBusy of [false, true]) {
      if (isBusy) await startLoad(t, redis, LOAD)
      await start(terminal, '--sample')
      await terminal.shows(/^last \d+ s {2}/m)
      for (const value of ['4000', '54321']) {
        await ask(redis, ground, 'config', 'set', 'slowlog-log-slower-than', value)
        await until('another window', async () => (await thresholdOf(redis, ground)) === '0')
      }
      await terminal.press('q')
      await terminal.shows(STATUS(0))
      assert.equal(await thresholdOf(redis, ground), '54321', `${isBusy}`)
      await ask(redis, ground, 'config', 'set', 'slowlog-log-slower-than', '12345')
    }
  })
})
