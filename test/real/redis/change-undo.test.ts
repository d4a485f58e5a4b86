/** Whatever comes in between, what was done at a real Redis is known, and is taken back. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { exitOf, Ground } from '../harness.ts'
import { ask, startRedis } from '../redis.ts'
import { standBetween } from './between.ts'
import { change, dataOf, journals, nowOf, reportOf, saysOf, settingsOf, told } from './changing.ts'

for (const isMade of [false, true]) {
  test(`[D34] killed in the middle, the second change ${isMade ? 'made' : 'not made'}: undone is what was done`, async (t) => {
    const ground = new Ground(t)
    const redis = await startRedis(ground)
    const between = await standBetween(t, ground, redis)
    const before = await settingsOf(redis, ground)
    const wishes = ['--set', 'timeout=5', '--set', 'hz=20', '--set', 'slowlog-max-len=99', '--apply']
    const running = change(ground, between, ...wishes)
    between.watch = async (sent) => {
      if (sent.join(' ') !== 'CONFIG SET hz 20') return true
      if (isMade) await ask(redis, ground, 'config', 'set', 'hz', '20')
      running.kill('SIGKILL')
      return false
    }
    assert.equal(await exitOf(running), 'SIGKILL')
    between.watch = undefined
    const now = await Promise.all(['timeout', 'hz', 'slowlog-max-len'].map((name) => nowOf(redis, ground, name)))
    assert.deepEqual(now, ['5', isMade ? '20' : '10', '128'])
    const { entries } = JSON.parse(readFileSync(journals(ground)[0]!, 'utf8')) as { entries: { state: string }[] }
    assert.deepEqual(
      entries.map(({ state }) => state),
      ['done', 'begun', 'planned'],
    )
    // What was planned and not begun is nobody's but who sets it.
    await ask(redis, ground, 'config', 'set', 'slowlog-max-len', '99')
    const undone = await reportOf(change(ground, between, '--undo', '--apply'), 0)
    assert.deepEqual(told(undone), [
      ['change.undone', 'hz'],
      ['change.undone', 'timeout'],
    ])
    assert.equal(saysOf(undone, 'hz'), isMade ? 'was 20, is 10 again.' : 'is 10 again.')
    assert.equal(await nowOf(redis, ground, 'slowlog-max-len'), '99')
    await ask(redis, ground, 'config', 'set', 'slowlog-max-len', '128')
    assert.deepEqual(await settingsOf(redis, ground), before)
  })
}

test('[D34] a connection that breaks in the middle: what was done, what may be, and what was not touched', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground)
  const between = await standBetween(t, ground, redis)
  const before = await settingsOf(redis, ground)
  between.watch = (sent) => sent.join(' ') !== 'CONFIG SET hz 20'
  const wishes = ['--set', 'timeout=5', '--set', 'hz=20', '--set', 'slowlog-max-len=99', '--apply']
  const running = change(ground, between, ...wishes)
  const report = await reportOf(running, 3)
  assert.deepEqual(told(report), [
    ['change.done', 'timeout'],
    ['change.unknown', 'hz'],
    ['change.untouched', 'slowlog-max-len'],
  ])
  assert.match(running.complaints, /^fettle: redis:\S+: closed the connection\n$/)
  between.watch = undefined
  await reportOf(change(ground, between, '--undo', '--apply'), 0)
  assert.deepEqual(await settingsOf(redis, ground), before)
})

test('[D34] a disk that takes no journal: nothing is touched', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground)
  writeFileSync(dataOf(ground), 'no folder')
  const running = change(ground, redis, '--set', 'timeout=5', '--apply')
  await reportOf(running, 3)
  assert.match(running.complaints, /^fettle: \S+\.json: cannot be written \(E\w+\); give another --data\n$/)
  assert.equal(await nowOf(redis, ground, 'timeout'), '0')
})

test('[D32, D34] a journal that was written by others sets nothing that could not be set from here', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground)
  await reportOf(change(ground, redis, '--set', 'timeout=5', '--apply'), 0)
  const [file] = journals(ground)
  const journal = JSON.parse(readFileSync(file!, 'utf8'))
  const entry = { ...journal.entries[0], what: 'requirepass', was: 'x', becomes: null, is: null }
  writeFileSync(file!, JSON.stringify({ ...journal, entries: [entry] }))
  const report = await reportOf(change(ground, redis, '--undo', file!, '--apply'), 1)
  assert.match(saysOf(report, 'requirepass'), /^was refused: requirepass is a password/)
  assert.equal(await nowOf(redis, ground, 'requirepass'), undefined)
})
