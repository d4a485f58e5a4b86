/** Users that are printed, loaded by a real Redis: each may do what its program does, and no more. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Report } from '@fettle/report'
import { fettle, fettleWith } from './fettle.ts'
import { exitOf, find, Ground, until } from './harness.ts'
import { startRedis } from './redis.ts'
import { dataOf, reportOf } from './redis-changing.ts'

test('[D37] what --protect prints is loaded: the app, coturn, the meter and fettle may do what they need and no more', async (t) => {
  const ground = new Ground(t)
  const open = await startRedis(ground)
  const printing = fettle(ground, 'redis', 'change', `${open.host}:${open.port}`, '--protect', '--data', dataOf(ground))
  assert.equal(await exitOf(printing), 0)
  const users = printing.output.split('\n').filter((line) => line.startsWith('user '))
  const file = join(ground.folder, 'users.acl')
  writeFileSync(file, `${users.join('\n').replaceAll('<password>', 'made-up')}\n`)
  // What stands beside them is what a redis.conf takes, but for the place of the file.
  const conf = printing.output.split('\n').filter((line) => !line.startsWith('user '))
  const host = ground.address(9)
  const here = conf.map((line) => line.replace(/^bind .*/, `bind ${host}`).replace(/^aclfile .*/, `aclfile ${file}`))
  writeFileSync(join(ground.folder, 'redis.conf'), `${here.join('\n')}\ndir ${ground.folder}\nsave ""\n`)
  const running = ground.start(find('redis-server'), [join(ground.folder, 'redis.conf')])
  await until('Redis listening', () => {
    if (running.status !== undefined) throw new Error(running.output)
    return running.output.includes('Ready to accept connections')
  })
  const as = async (user: string, ...command: string[]) => {
    const more = { REDISCLI_AUTH: 'made-up' }
    const cli = ground.start(find('redis-cli'), ['-h', host, '--user', user, ...command], more)
    await exitOf(cli)
    return cli.output.trim()
  }
  const key = 'turn/realm/r/user/u/allocation/000000000000000001/status'
  for (const [user, ...command] of [
    ['app', 'set', 'user:1', 'x'],
    ['app', 'get', 'user:1'],
    ['app', 'client', 'setname', 'web'],
    ['app', 'eval', 'return redis.call("GET", "user:1")', '0'],
    ['app', 'info'],
    ['coturn', 'select', '0'],
    ['coturn', 'keys', 'turn/*/allocation/*/status'],
    ['coturn', 'set', key, 'new lifetime=600'],
    ['coturn', 'publish', key, 'new lifetime=600'],
    ['coturn', 'publish', '__XXX__', '__YYY__'],
    ['meter', 'scan', '0', 'match', 'turn/*'],
    ['meter', 'get', key],
    ['meter', 'config', 'get', 'timeout'],
    ['fettle', 'wait', '0', '1'],
    ['fettle', 'xread', 'block', '1', 'streams', 'fettle:none', '$'],
    ['coturn', 'del', key, ''],
  ] as const) {
    const answer = await as(user, ...command)
    assert.doesNotMatch(answer, /NOPERM|NOAUTH|WRONGPASS|ERR/, `${user} ${command.join(' ')}`)
    if (command[0] === 'del') assert.equal(answer, '1')
  }
  const watching = ground.start(find('redis-cli'), ['-h', host, '--user', 'fettle', 'monitor'], {
    REDISCLI_AUTH: 'made-up',
  })
  await until('MONITOR', () => watching.output.startsWith('OK'))
  watching.kill('SIGKILL')
  for (const [user, ...command] of [
    ['app', 'keys', '*'],
    ['app', 'flushall'],
    ['app', 'flushdb'],
    ['app', 'config', 'get', '*'],
    ['app', 'config', 'set', 'dir', '/'],
    ['app', 'debug', 'sleep', '0'],
    ['app', 'acl', 'list'],
    ['app', 'eval', 'return redis.call("KEYS", "*")', '0'],
    ['coturn', 'get', 'user:1'],
    ['coturn', 'set', 'user:1', 'x'],
    ['coturn', 'publish', 'news', 'x'],
    ['coturn', 'flushall'],
    ['meter', 'get', 'user:1'],
    ['meter', 'config', 'set', 'timeout', '1'],
    ['fettle', 'get', 'user:1'],
    ['fettle', 'flushall'],
  ] as const) {
    assert.match(
      await as(user, ...command),
      /NOPERM|permissions|can't run this command|DEBUG command not allowed/,
      `${user} ${command.join(' ')}`,
    )
  }
  assert.match(await as('default', 'ping'), /WRONGPASS/)

  const environment = { REDISCLI_AUTH: 'made-up' }
  const looked = (...more: string[]) =>
    fettleWith(environment, ground, 'redis', ...more, '--data', dataOf(ground), '--json')
  const checked = looked('check', `redis://fettle@${host}:6379`, '--sample', '--for', '2')
  await until('the look', () => checked.status !== undefined, 30)
  const report = JSON.parse(checked.output) as Report
  assert.deepEqual(
    report.unseen.filter(({ why }) => /NOPERM|permi/.test(why)),
    [],
  )
  await reportOf(looked('change', `redis://fettle@${host}:6379`, '--set', 'timeout=5', '--slowlog-reset', '--apply'), 0)
  await reportOf(looked('change', `redis://fettle@${host}:6379`, '--undo', '--apply'), 0)
  assert.match(await as('fettle', 'config', 'get', 'timeout'), /\n0$/)
  assert.equal(running.status, undefined)
})
