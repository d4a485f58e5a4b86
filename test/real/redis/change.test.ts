/** Changing a real Redis: shown first, looked at again before it is touched, refused where it has to be. */
import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { redisChange } from '@fettle/redis'
import { fettle, fettleWith } from '../fettle.ts'
import { exitOf, find, Ground, until } from '../harness.ts'
import { ask, type Redis, startRedis } from '../redis.ts'
import { standBetween } from './between.ts'
import { change, dataOf, journals, nowOf, reportOf, saysOf, settingsOf, told, type Where, words } from './changing.ts'

/** One that says its name and what it has to say; nothing that it hears is looked at. */
function talk(
  t: { after(hook: () => void): void },
  { host, port }: Where,
  lines: string,
  from: { localAddress?: string; localPort?: number } = {},
): Socket {
  const socket = connect({ host, port, ...from })
  socket.on('error', () => {})
  socket.resume()
  socket.write(lines)
  t.after(() => socket.destroy())
  return socket
}

const lineOf = async (redis: Redis, ground: Ground, name: string) =>
  (await ask(redis, ground, 'client', 'list')).find((line) => line.includes(` name=${name} `))

/** Where a busy machine takes a tenth of a second for a command, this would be advised too. */
const MONITORED = ['--latency-monitor-threshold', '100']

test('[D30, D31, D34] what is advised is shown and changes nothing; applied it is as shown, measured again, and undone', async (t) => {
  const ground = new Ground(t)
  const ill = ['--timeout', '300', '--tcp-keepalive', '0', '--slowlog-max-len', '100']
  const redis = await startRedis(ground, ...ill, ...MONITORED)
  await ask(redis, ground, 'config', 'set', 'slowlog-log-slower-than', '0')
  const startCoturn = () => ask(redis, ground, 'keys', 'turn/*/allocation/*/status')
  const before = await settingsOf(redis, ground)
  await startCoturn()
  const shown = await reportOf(change(ground, redis), 1)
  const planned = ['timeout', 'tcp-keepalive', 'slowlog-log-slower-than', 'slowlog-max-len']
  assert.deepEqual(
    told(shown),
    planned.map((one) => ['change.planned', one]),
  )
  assert.deepEqual(shown.findings[0]!.remedy, ['CONFIG SET timeout 0'])
  assert.equal(shown.findings[0]!.undo, 'CONFIG SET timeout 300')
  assert.deepEqual(await settingsOf(redis, ground), before)
  assert.deepEqual(journals(ground), [])

  // What a look has asked is in the log as well, and pushes out what was there.
  await startCoturn()
  const done = await reportOf(change(ground, redis, '--apply'), 0)
  assert.deepEqual(
    told(done).filter(([code]) => code === 'change.done'),
    planned.map((one) => ['change.done', one]),
  )
  assert.equal(saysOf(done, 'timeout'), 'was 300, is 0.')
  assert.ok(done.tables.find(({ name }) => name === 'compared')!.rows.length > 3)
  assert.equal(await nowOf(redis, ground, 'slowlog-max-len'), '1024')
  const [journal, ...more] = journals(ground)
  assert.deepEqual(more, [])
  assert.equal(statSync(journal!).mode & 0o777, 0o600)
  assert.equal(statSync(join(dataOf(ground), 'undo')).mode & 0o777, 0o700)

  assert.equal((await reportOf(change(ground, redis, '--undo'), 1)).findings.length, planned.length)
  assert.equal(await nowOf(redis, ground, 'timeout'), '0')
  await reportOf(change(ground, redis, '--undo', '--apply'), 0)
  assert.deepEqual(await settingsOf(redis, ground), before)
  const nothing = change(ground, redis, '--undo', '--apply')
  assert.equal(await exitOf(nothing), 3)
  assert.match(nothing.output, /^fettle: \S+undo: nothing is kept here that could be undone at redis:\S+\n$/)
  const again = await reportOf(change(ground, redis, '--undo', journal!, '--apply'), 0)
  assert.deepEqual(told(again), [['change.undone', journal]])
})

test('[D32, D34] every setting that may be set is put back to the letter; what the server refuses is told', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground)
  const before = await settingsOf(redis, ground)
  const set = {
    timeout: '77',
    'tcp-keepalive': '61',
    'client-output-buffer-limit': 'pubsub 1gb 3m 7',
    'slowlog-log-slower-than': '-1',
    'slowlog-max-len': '7',
    'latency-monitor-threshold': '9',
    'lazyfree-lazy-eviction': 'yes',
    'lazyfree-lazy-expire': 'yes',
    'lazyfree-lazy-server-del': 'yes',
    'lazyfree-lazy-user-del': 'yes',
    'lazyfree-lazy-user-flush': 'yes',
    hz: '50',
    maxclients: '500',
    'maxmemory-policy': 'volatile-lfu',
  }
  const wishes = Object.entries(set).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  // Debian's Redis cannot do it: it is built with another allocator.
  const done = await reportOf(change(ground, redis, ...wishes, '--set', 'activedefrag=yes', '--apply'), 1)
  assert.deepEqual(told(done), [
    ...Object.keys(set).map((name) => ['change.done', name]),
    ['change.left', 'activedefrag'],
  ])
  assert.match(saysOf(done, 'activedefrag'), /^was refused: .*Active defragmentation cannot be enabled/)
  for (const [name, value] of Object.entries(set)) {
    const now = await nowOf(redis, ground, name)
    assert.equal(now, name.startsWith('client') ? LIMITS : value, name)
    assert.ok(saysOf(done, name).endsWith(`, is ${now}.`), saysOf(done, name))
  }
  await reportOf(change(ground, redis, '--undo', '--apply'), 0)
  assert.deepEqual(await settingsOf(redis, ground), before)
})
const LIMITS = 'normal 0 0 0 slave 268435456 67108864 60 pubsub 1073741824 3000000 7'

test('[D31] who reads nothing of the much that waits for him is ended; who reads is not', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground, ...MONITORED)
  await ask(redis, ground, 'setrange', 'big', '1000000', 'x')
  const [silent, reader] = ['silent', 'reader'].map((name) => {
    return talk(t, redis, `CLIENT SETNAME ${name}\r\n${'GET big\r\n'.repeat(60)}`)
  })
  silent!.pause()
  const waiting = async (name: string) => Number(/ omem=(\d+) /.exec((await lineOf(redis, ground, name)) ?? '')?.[1])
  await until('much that waits', async () => (await waiting('silent')) > 20e6)
  // On a busy machine he takes his time too.
  await until('what the other has read', async () => (await waiting('reader')) === 0)
  const report = await reportOf(change(ground, redis, '--apply'), 0)
  assert.deepEqual(
    told(report).map(([code]) => code),
    ['change.done', 'redis.client-behind'],
  )
  assert.match(saysOf(report, 'silent'), /^Not found any more: does not read what it has asked for/)
  assert.equal(await lineOf(redis, ground, 'silent'), undefined)
  assert.ok(await lineOf(redis, ground, 'reader'))
  assert.ok(!reader!.destroyed)
})

test('[D33] a client is ended only while it is the one that was shown: id, address and name', async (t) => {
  const ground = new Ground(t)
  // Without its protection, for that lets nobody in but 127.0.0.1.
  const redis = await startRedis(ground, '--protected-mode', 'no')
  const between = await standBetween(t, ground, redis)
  talk(t, redis, 'CLIENT SETNAME left\r\nMONITOR\r\n')
  // At the usual address his port may be that of somebody else too, and then nobody can take it after him.
  const localAddress = ground.address(9)
  const other = talk(t, redis, 'CLIENT SETNAME other\r\nPING\r\n', { localAddress })
  await until('a MONITOR', async () => / flags=O /.test((await lineOf(redis, ground, 'left')) ?? ''))
  await until('another', async () => lineOf(redis, ground, 'other'))
  const idOf = async (name: string) => /^id=(\d+) /.exec((await lineOf(redis, ground, name)) ?? '')![1]!

  // The name changes after it was shown.
  let lists = 0
  between.watch = async (sent) => {
    if (sent.join(' ') === 'CLIENT LIST' && ++lists === 2) {
      other.write('CLIENT SETNAME renamed\r\n')
      await until('the new name', async () => lineOf(redis, ground, 'renamed'))
    }
    return true
  }
  const renamed = await reportOf(change(ground, between, '--kill', await idOf('other'), '--apply'), 1)
  assert.equal(lists, 2)
  assert.match(
    renamed.findings[0]!.says,
    /^is id=\d+ addr=\S+ name=renamed by now, not id=\d+ addr=\S+ name=other: left/,
  )

  // Another one has its address and its name.
  lists = 0
  const address = /addr=(\S+)/.exec((await lineOf(redis, ground, 'renamed'))!)![1]!
  between.watch = async (sent) => {
    if (sent.join(' ') !== 'CLIENT LIST' || ++lists !== 2) return true
    await ask(redis, ground, 'client', 'kill', 'addr', address)
    await until('the place free', async () => (await lineOf(redis, ground, 'renamed')) === undefined && other.destroyed)
    await until('its place taken', async () => {
      if ((await lineOf(redis, ground, 'renamed'))?.includes(` addr=${address} `)) return true
      talk(t, redis, 'CLIENT SETNAME renamed\r\n', { localAddress, localPort: Number(address.split(':')[1]) })
      return false
    })
    return true
  }
  const taken = await reportOf(change(ground, between, '--kill', address, '--apply'), 1)
  assert.equal(lists, 2)
  assert.match(taken.findings[0]!.says, /^is none by now, not id=\d+ addr=\S+ name=renamed: left alone\.$/)
  assert.ok((await lineOf(redis, ground, 'renamed'))?.includes(` addr=${address} `))

  between.watch = undefined
  const left = await idOf('left')
  const done = await reportOf(change(ground, between, '--kill', left, '--apply'), 0)
  assert.deepEqual(told(done), [['change.done', `client ${left}`]])
  assert.equal(await lineOf(redis, ground, 'left'), undefined)
  assert.ok(await lineOf(redis, ground, 'renamed'))
  // A journal with nothing but this has nothing to undo.
  assert.equal(await exitOf(change(ground, between, '--undo')), 3)
})

test('[D33] what others have changed since it was shown, or since it was set, is left alone', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground)
  const between = await standBetween(t, ground, redis)
  between.watch = async (sent) => {
    if (sent.join(' ') === 'CONFIG GET timeout') await ask(redis, ground, 'config', 'set', 'timeout', '7')
    return true
  }
  const wishes = ['--set', 'timeout=5', '--set', 'hz=20', '--set', 'tcp-keepalive=60', '--apply']
  const report = await reportOf(change(ground, between, ...wishes), 1)
  assert.equal(saysOf(report, 'timeout'), 'is 7 by now, not 0: left alone.')
  assert.deepEqual([await nowOf(redis, ground, 'timeout'), await nowOf(redis, ground, 'hz')], ['7', '20'])
  between.watch = undefined
  await ask(redis, ground, 'config', 'set', 'hz', '21')
  const undone = await reportOf(change(ground, between, '--undo', '--apply'), 1)
  assert.deepEqual(told(undone), [
    ['change.undone', 'tcp-keepalive'],
    ['change.left', 'hz'],
  ])
  assert.equal(saysOf(undone, 'hz'), 'is 21, not 20 as it was set from here: left alone.')
  assert.deepEqual([await nowOf(redis, ground, 'tcp-keepalive'), await nowOf(redis, ground, 'hz')], ['300', '21'])
})

test('[D35] a user who may not CONFIG: one line, status 3, and what to write into the file instead', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground, '--timeout', '300')
  const before = await settingsOf(redis, ground)
  const password = join(ground.folder, 'password')
  writeFileSync(password, 'any\n')
  const url = `redis://guest@${redis.host}:${redis.port}`
  const guest = (...more: string[]) =>
    fettle(ground, 'redis', 'change', url, '--data', dataOf(ground), '--json', '--password-file', password, ...more)
  for (const [rights, undo] of [
    [['+@all', '-config'], 'the line that was there before'],
    [['+@all', '-config|set'], 'in redis.conf: timeout 300'],
  ] as const) {
    await ask(redis, ground, 'acl', 'setuser', 'guest', 'reset', 'on', 'nopass', '~*', ...rights)
    const running = guest('--set', 'timeout=0', '--apply')
    const report = await reportOf(running, 3)
    assert.deepEqual(report.findings[0]!.remedy, ['in redis.conf: timeout 0'])
    assert.equal(report.findings[0]!.undo, undo)
    assert.match(
      running.complaints,
      /^fettle: redis:\S+: does not permit CONFIG \(NOPERM [^\n]+redis\.conf, or to .*\n$/,
    )
    assert.deepEqual(journals(ground), [])
  }
  assert.deepEqual(await settingsOf(redis, ground), before)
})

test('[D35] at a replica it is said that it is one, shown and applied', async (t) => {
  const ground = new Ground(t)
  const primary = await startRedis(ground)
  const host = ground.address(9)
  const settings = [
    '--bind',
    host,
    '--port',
    '6379',
    '--dir',
    ground.folder,
    '--save',
    '',
    '--dbfilename',
    'replica.rdb',
  ]
  const of = ['--replicaof', primary.host, `${primary.port}`]
  const running = ground.start(find('redis-server'), [...settings, ...of])
  await until('the replica in step', () => running.output.includes('MASTER <-> REPLICA sync: Finished with success'))
  const replica = { running, host, port: 6379 }
  for (const [apply, status] of [
    [[], 1],
    [['--apply'], 0],
  ] as const) {
    const report = await reportOf(change(ground, replica, '--set', 'timeout=5', ...apply), status)
    const said = report.findings.find(({ code }) => code === 'redis.is-replica')
    assert.match(said?.says ?? '', new RegExp(`replica of ${primary.host}:6379: what is changed here is not`))
  }
  assert.deepEqual([await nowOf(replica, ground, 'timeout'), await nowOf(primary, ground, 'timeout')], ['5', '0'])
})

test('[D36] only --persist writes redis.conf, and its undo does too', async (t) => {
  const ground = new Ground(t)
  const file = join(ground.folder, 'redis.conf')
  const bare = await startRedis(ground)
  const refused = change(ground, bare, '--set', 'timeout=5', '--persist', '--apply')
  await reportOf(refused, 3)
  assert.match(refused.complaints, /--persist: it was started without a redis\.conf/)
  assert.equal(await nowOf(bare, ground, 'timeout'), '0')

  const host = ground.address(9)
  writeFileSync(file, `bind ${host}\ndir ${ground.folder}\nsave ""\ntimeout 300\n`)
  const running = ground.start(find('redis-server'), [file])
  await until('Redis listening', () => running.output.includes('Ready to accept connections'))
  const redis = { running, host, port: 6379 }
  const written = () => /^timeout .*$/m.exec(readFileSync(file, 'utf8'))?.[0]
  await reportOf(change(ground, redis, '--set', 'timeout=5', '--apply'), 0)
  assert.equal(written(), 'timeout 300')
  const done = await reportOf(change(ground, redis, '--set', 'timeout=6', '--persist', '--apply'), 0)
  assert.ok(told(done).some(([code]) => code === 'change.persisted'))
  assert.equal(written(), 'timeout 6')
  await reportOf(change(ground, redis, '--undo', '--apply'), 0)
  assert.equal(written(), 'timeout 5')
})

test('[D38] the slow log is kept before it is emptied; no password is kept or said', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground, '--requirepass', 'geheim')
  const environment = { REDISCLI_AUTH: 'geheim' }
  const cli = async (...command: string[]) => {
    const running = ground.start(find('redis-cli'), ['-h', redis.host, ...command], environment)
    await exitOf(running)
    return running.output.trim()
  }
  await cli('config', 'set', 'slowlog-log-slower-than', '0')
  await cli('config', 'set', 'masterauth', 'geheim')
  await cli('set', 'user:\u001b[2J', 'x')
  await cli('config', 'set', 'slowlog-log-slower-than', '10000')
  const changed = (...more: string[]) => fettleWith(environment, ground, ...words(ground, redis, ...more))
  const wishes = ['--slowlog-reset', '--set', 'timeout=5']
  const done = changed(...wishes, '--apply')
  const report = await reportOf(done, 0)
  assert.deepEqual(told(report), [
    ['change.done', 'timeout'],
    ['change.done', 'slow log'],
  ])
  assert.equal(await cli('slowlog', 'len'), '0')
  const kept = readFileSync(journals(ground)[0]!, 'utf8')
  const entries = (JSON.parse(kept).entries as { what: string; was: string }[]).find(({ what }) => what === 'slow log')!
  assert.match(entries.was, /"set" "user:\\u001b\[2J" "x"$/m)
  const undone = changed('--undo', '--apply')
  assert.match(saysOf(await reportOf(undone, 0), 'slow log'), /^undo: none; the entries stand in the journal/)
  const printing = fettleWith(environment, ground, 'redis', 'change', `${redis.host}:6379`, '--protect')
  assert.equal(await exitOf(printing), 0)
  for (const text of [kept, done.output, undone.output, printing.output]) assert.ok(!text.includes('geheim'), text)
})

test('[D30] the examples of the help run, and it fits a terminal', async (t) => {
  const ground = new Ground(t)
  const redis = await startRedis(ground, '--timeout', '300')
  const said = async (...given: string[]) => {
    const running = fettleWith({ COLUMNS: '80', FETTLE_DATA: dataOf(ground) }, ground, ...given)
    return { status: await exitOf(running, 40), output: running.output }
  }
  const help = await said('redis', 'change', '--help')
  for (const line of help.output.split('\n')) assert.ok(line.length <= 80, line)
  for (const [example, pattern] of [
    [redisChange.examples[0]!, /\nNo faults or warnings\.\n$/],
    [redisChange.examples[1]!, /^note {5}timeout: was 300, is 0\.\n {11}undo: CONFIG SET timeout 300\n/m],
    [redisChange.examples[2]!, /^note {5}timeout: was 0, is 300 again\.\n/m],
    [redisChange.examples[3]!, /^user default off\n/m],
  ] as const) {
    assert.ok(help.output.includes(example))
    const { status, output } = await said(...example.replace('127.0.0.1', redis.host).split(' ').slice(1))
    assert.equal(status, 0, output)
    assert.match(output, pattern)
  }
  assert.equal(redisChange.examples.length, 4)
  const { status, output } = await said('redis', 'change', redis.host, '--set', 'timeout=1')
  assert.equal(status, 1)
  assert.match(
    output,
    /-> CONFIG SET timeout 1\n.*undo: CONFIG SET timeout 300\n\n1 warning\.\nNothing was changed: --apply does it\.\n$/,
  )
})
