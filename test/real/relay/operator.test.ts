/** An operator's first half hour, with real coturns: lines into turnserver.conf, who is connected, what is wrong. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { carriedBy, LISTENING_PORT, SECRET, startCall, startPeer } from '../coturn.ts'
import { fettle, readAccounts } from '../fettle.ts'
import { exitOf, find, Ground, type Running, until } from '../harness.ts'

const PORT = 7431

/** Runs a command to its end; `status`: the one that it must have. */
async function run(ground: Ground, status: number, ...args: string[]): Promise<string> {
  const command = fettle(ground, 'relay', ...args)
  assert.equal(await exitOf(command), status, command.output)
  return command.output
}

const lineIn = (output: string) => /^redis-statsdb=".*"$/m.exec(output)![0]

/** A coturn as a package starts it: everything stands in its turnserver.conf, the line as fettle prints it. */
function startConfigured(ground: Ground, name: string, line: string, host: number): Running {
  const address = ground.address(host)
  const settings = [
    '# made for a test',
    line,
    `listening-ip=${address}`,
    `relay-ip=${address}`,
    `listening-port=${LISTENING_PORT}`,
    'min-port=20000',
    'max-port=29999',
    'relay-threads=2',
    'allow-loopback-peers',
    'use-auth-secret',
    `static-auth-secret=${SECRET}`,
    'realm=example.org',
    'no-cli',
    'no-tls',
    'no-dtls',
    'log-file=stdout',
    'simple-log',
    `pidfile=${join(ground.folder, `${name}.pid`)}`,
    `userdb=${join(ground.folder, `${name}.db`)}`,
  ]
  const file = join(ground.folder, `${name}.conf`)
  writeFileSync(file, `${settings.join('\n')}\n`, { mode: 0o600 })
  return ground.start(find('turnserver'), ['-c', file])
}

test('two coturns, each with its own line: connected, watched, examined, one removed', async (t) => {
  const ground = new Ground(t)
  const data = join(ground.folder, 'meter')
  const at = ['--data', data, '--resp', `${ground.address(1)}:${PORT}`]
  const berlin = lineIn(await run(ground, 0, 'server', 'add', 'berlin', '--version', '4.6.1', ...at))
  const paris = lineIn(await run(ground, 0, 'server', 'add', 'paris', ...at))
  assert.notEqual(berlin, paris)
  const idle = await run(ground, 1, 'doctor', ...at)
  assert.match(idle, /^problem {2}No meter is running\.$/m)
  assert.match(idle, /:7431 is free for a meter\.$/m)

  const meter = fettle(ground, 'relay', 'serve', ...at, '--http', `${ground.address(1)}:0`, '--log-format', 'text')
  await until('the meter', () => meter.output.includes('waiting for coturn'))
  assert(meter.output.includes(berlin) && meter.output.includes(paris), 'the lines stay the same')
  assert.match(meter.output, /drain it;\nand whoever reads its present redis-statsdb hears nothing any more/)
  const alone = await run(ground, 1, 'doctor', ...at)
  assert.match(alone, /^problem {2}The coturn "berlin" has never connected\.$/m)
  startPeer(ground)
  startConfigured(ground, 'berlin', berlin, 3)
  const second = startConfigured(ground, 'paris', paris, 4)
  const list = () => run(ground, 0, 'server', 'list', ...at)
  await until('both connected', async () => (await list()).match(/ yes /g)?.length === 2)

  const tail = fettle(ground, 'relay', 'tail', '--data', data, '--device', 'alice')
  const call = { transport: 'tcp', messages: 600, bytes: 200 } as const
  // Whoever begins to watch hears what comes from then on: a call for as long as it takes.
  await until('the call in the tail', async () => {
    await carriedBy(startCall(ground, { ...call, user: 'alice', host: 4 }))
    return / paris {5}traffic +alice +in \S+ [kM]B, out \S+ [kM]B$/m.test(tail.output)
  })
  await carriedBy(startCall(ground, { ...call, user: 'bob', host: 3 }))
  assert.doesNotMatch(tail.output, /bob/)
  tail.kill('SIGINT')
  assert.equal(await exitOf(tail), 0)
  const known = await until('what was heard', async () => {
    const output = await list()
    return /^berlin +4\.6\.1 +yes +\d\d-\d\d \d\d:\d\d:\d\d +\d+$/m.test(output) && output
  })
  assert.match(known, /^paris +- +yes +\d\d-\d\d \d\d:\d\d:\d\d +\d+$/m)

  const conf = join(ground.folder, 'berlin.conf')
  const examined = await run(ground, 1, 'doctor', ...at, '--turnserver-conf', conf, '--json')
  const levels = () => new Map(checks(examined).map(({ code, level }) => [code, level]))
  for (const code of ['meter', 'server', 'statsdb', 'template', 'malformed'])
    assert.equal(levels().get(code), 'ok', code)
  // Loopback peers are allowed here, and this coturn may be an old one.
  const allowed = new Set(['meter-exposed', 'percent', 'version-said'])
  const wrong = checks(examined).filter(({ code, level }) => level !== 'ok' && !allowed.has(code))
  assert.deepEqual(wrong, [])
  const secrets = [berlin, paris].map((line) => /password=(\S+)/.exec(line)![1]!)
  for (const secret of secrets) assert(!(examined + known).includes(secret))

  const moved = readFileSync(conf, 'utf8').replace(`port=${PORT}`, 'port=6379')
  await new Promise((resolve) => setTimeout(resolve, 2500))
  writeFileSync(conf, moved)
  const spoilt = checks(await run(ground, 1, 'doctor', ...at, '--turnserver-conf', conf, '--json'))
  assert(spoilt.some(({ code, level }) => code === 'statsdb-address' && level === 'problem'))
  assert(spoilt.some(({ code, level }) => code === 'not-restarted' && level === 'warning'))

  assert.match(await run(ground, 0, 'server', 'remove', 'paris', ...at), /paris is removed/)
  await until('the meter without paris', () => meter.output.includes('servers now: berlin\n'))
  assert.doesNotMatch(await list(), /paris/)
  const before = readAccounts(data).filter(({ username }) => username.endsWith(':carl')).length
  await carriedBy(startCall(ground, { ...call, user: 'carl', host: 4 }))
  await until('the refusal', () => / refused: (wrong|no) password/.test(meter.output))
  assert.equal(readAccounts(data).filter(({ username }) => username.endsWith(':carl')).length, before)
  const isRefused = /^warning {2}\d+ connections? (was|were) refused since the start/m
  await until('the same of doctor', async () => isRefused.test(await run(ground, 1, 'doctor', ...at)))
  assert(
    readAccounts(data).some(({ username }) => username.endsWith(':alice')),
    'its records stay',
  )
  assert.equal(second.status, undefined, 'a coturn that is refused goes on')
})

const checks = (output: string) => JSON.parse(output).checks as { code: string; level: string; text: string }[]
