/** Users that are printed, loaded by a real Redis: each may do what its program does, and no more. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Report } from '@fettle/report'
import { carriedBy, startCall, startCoturn, startPeer } from '../coturn.ts'
import { fettle, fettleWith, isClosed, isHearing, readAccounts, startSubscriber } from '../fettle.ts'
import { exitOf, find, Ground, type Running, until } from '../harness.ts'
import { startRedis } from '../redis.ts'
import { dataOf, reportOf } from './changing.ts'

const PASSWORD = 'made-up'

interface Protected {
  readonly host: string
  readonly running: Running
  /** What it answers to a user. */
  as(user: string, ...command: string[]): Promise<string>
}

/** A Redis with what is printed, where each is to be put; `change`: what somebody does to the lines of users. */
async function startProtected(ground: Ground, change = (users: string[]) => users): Promise<Protected> {
  const open = await startRedis(ground)
  const printing = fettle(ground, 'redis', 'change', `${open.host}:${open.port}`, '--protect', '--data', dataOf(ground))
  assert.equal(await exitOf(printing), 0)
  const users = change(printing.output.split('\n').filter((line) => line.startsWith('user ')))
  const file = join(ground.folder, 'users.acl')
  writeFileSync(file, `${users.join('\n').replaceAll('<password>', PASSWORD)}\n`)
  // What stands beside them is what a redis.conf takes, but for the place of the file.
  const conf = printing.output.split('\n').filter((line) => !line.startsWith('user '))
  const host = ground.address(10)
  const here = conf.map((line) => line.replace(/^bind .*/, `bind ${host}`).replace(/^aclfile .*/, `aclfile ${file}`))
  writeFileSync(join(ground.folder, 'redis.conf'), `${here.join('\n')}\ndir ${ground.folder}\nsave ""\n`)
  const running = ground.start(find('redis-server'), [join(ground.folder, 'redis.conf')])
  await until('Redis listening', () => {
    if (running.status !== undefined) throw new Error(running.output)
    return running.output.includes('Ready to accept connections')
  })
  const as = async (user: string, ...command: string[]) => {
    const words = ['-h', host, '--user', user, ...command]
    const cli = ground.start(find('redis-cli'), words, { REDISCLI_AUTH: PASSWORD })
    await exitOf(cli)
    return cli.output.trim()
  }
  return { host, running, as }
}

test('[D37] what --protect prints is loaded: the app, coturn, the meter and fettle may do what they need and no more', async (t) => {
  const ground = new Ground(t)
  const { host, running, as } = await startProtected(ground)
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
    REDISCLI_AUTH: PASSWORD,
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

  const environment = { REDISCLI_AUTH: PASSWORD }
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

test('[D37] a real coturn and a real meter are refused nothing, and the coturn leaves no key', async (t) => {
  const ground = new Ground(t)
  // Debian's coturn is older than 4.6.3 and knows no user: default gets the rights of coturn, as is printed beside them.
  const { host, as } = await startProtected(ground, (users) => {
    const rights = users.find((line) => line.startsWith('user coturn '))!.slice('user coturn '.length)
    const others = users.filter((line) => !line.startsWith('user default '))
    return [`user default ${rights}`, ...others, 'user root on ><password> ~* &* +@all']
  })
  const meter = startSubscriber(ground, `redis://meter:${PASSWORD}@${host}:6379`)
  await isHearing(meter)
  startPeer(ground)
  await as('coturn', 'set', 'turn/realm/r/user/u/allocation/000000000000000009/status', 'of an earlier coturn')
  await startCoturn(ground, `ip=${host} dbname=0 password=${PASSWORD} port=6379 connect_timeout=5`)
  assert.equal(await as('coturn', 'keys', '*'), '')
  await carriedBy(startCall(ground, { user: 'someone', transport: 'tcp', messages: 100, bytes: 500 }))
  await until('the call in the ledger', () => {
    const accounts = readAccounts(meter.data)
    return accounts.length > 0 && accounts.every(isClosed)
  })
  await until('no key left', async () => (await as('coturn', 'keys', '*')) === '')
  assert.equal(await as('root', 'acl', 'log'), '')
})
