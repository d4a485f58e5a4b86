/** The row sink into a real MariaDB: the rows of the engineer's note of 2018, word for word. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { launcher } from '../fettle.ts'
import { exitOf, Ground, until } from '../harness.ts'
import { MariaDb } from '../mariadb.ts'

const TABLE = `CREATE TABLE billing.turn_usage (
  account INT NOT NULL, device CHAR(32) NOT NULL, kind INT NOT NULL, client INT NOT NULL,
  start DATETIME, end DATETIME,
  rcvp BIGINT NOT NULL, rcvb BIGINT NOT NULL, sentp BIGINT NOT NULL, sentb BIGINT NOT NULL,
  fettle_uid VARCHAR(40) CHARACTER SET ascii, UNIQUE KEY fettle_uid (fettle_uid))`
const CONFIG = `relay:
  username: "{expires}:{device}_{kind}_{client}_{account}"
  linger: 1
  sink:
    table: turn_usage
    columns:
      account: { field: account, otherwise: 0 }
      device: device
      kind: { field: label.kind, otherwise: 0 }
      client: { field: label.client, otherwise: 0 }
      start: start
      end: end
      rcvp: rcvp
      rcvb: rcvb
      sentp: sentp
      sentb: sentb
      fettle_uid: uid
`
const ROWS = [
  '18152649\t26e4cd38fa6fc39fa8fc40fb25fe558c\t21\t24\t5785\t5862284\t2407\t114451',
  '18152992\tac5fa606abf5ae9d02bd4206625b4911\t21\t24\t4595\t4367095\t1549\t74756',
]

/** The messages of a recording that was pasted from redis-cli, as coturn sent them. */
function published(name: string): { channel: string; message: string }[] {
  const file = new URL(`../../../packages/relay/test/recordings/${name}`, import.meta.url)
  const pattern = /^3\) "(.*)"\n4\) "(.*)"$/gm
  return Array.from(readFileSync(file, 'utf8').matchAll(pattern), ([, channel, message]) => ({
    channel: channel!,
    message: message!,
  }))
}

const request = (...words: readonly string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`

test('[R36] the two calls of the note: the rows of the note, word for word', async (t) => {
  const ground = new Ground(t)
  const database = await MariaDb.start(ground)
  await database.sql(TABLE)
  const config = join(ground.folder, 'fettle.yaml')
  writeFileSync(config, CONFIG)
  const env = { FETTLE_SINK: database.url }
  const check = ground.start(process.execPath, fettleWords('relay', 'sink', 'check', '--config', config), env)
  assert.equal(await exitOf(check), 0, check.output)
  const words = ['relay', 'serve', '--data', join(ground.folder, 'meter'), '--config', config]
  const meter = ground.start(process.execPath, fettleWords(...words, '--resp', `${ground.address(1)}:0`), env)
  const [, port, password] = await until('the line for coturn', () =>
    /^redis-statsdb=".* port=(\d+) password=(\S+) /m.exec(meter.output),
  )
  const socket = connect({ host: ground.address(1), port: Number(port) })
  socket.resume()
  socket.write(request('AUTH', password!))
  for (const name of ['note-2018-call.txt', 'note-2018-stopped-by-button.txt']) {
    for (const { channel, message } of published(name)) socket.write(request('PUBLISH', channel, message))
  }
  const select = `SELECT account, device, kind, client, rcvp, rcvb, sentp, sentb FROM billing.turn_usage ORDER BY account`
  await until('both rows', async () => (await database.sql(select)).length === 2, 30)
  socket.destroy()
  assert.deepEqual(await database.sql(select), ROWS)
  const [times] = await database.sql(
    'SELECT count(*), sum(end >= start AND end <= utc_timestamp() + INTERVAL 1 SECOND) FROM billing.turn_usage',
  )
  assert.equal(times, '2\t2', 'start and end are known, and in UTC')
  assert(!meter.output.includes(database.password) && !check.output.includes(database.password))
  // The examples in help, on the folder of the meter.
  mkdirSync(join(ground.folder, 'fettle'))
  writeFileSync(join(ground.folder, 'fettle', 'fettle.yaml'), CONFIG)
  const settings = { ...env, FETTLE_DATA: join(ground.folder, 'meter'), XDG_CONFIG_HOME: ground.folder }
  const help = ground.start(process.execPath, fettleWords('relay', 'sink', 'check', '--help'))
  await exitOf(help)
  const examples = help.output.match(/^ {2}fettle relay sink check.*$/gm)!
  assert.equal(examples.length, 2)
  for (const example of examples) {
    const [, ...given] = example.trim().replace('./fettle.yaml', config).split(' ')
    const after = ground.start(process.execPath, fettleWords(...given), settings)
    assert.equal(await exitOf(after), 0, after.output)
    assert.match(after.output, /26e4cd38|ac5fa606/)
    t.diagnostic(after.output)
  }
})

function fettleWords(...words: readonly string[]): string[] {
  return [launcher, ...words]
}
