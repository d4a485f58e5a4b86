/** coturn -> its log -> the meter, which follows it: to the byte what was relayed, whatever becomes of the file. */
import assert from 'node:assert/strict'
import { appendFileSync, copyFileSync, existsSync, readFileSync, renameSync, truncateSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { Ready } from '@fettle/relay/api'
import { type Coturn, carriedBy, readLog, startCall, startCoturn, startPeer } from '../coturn.ts'
import {
  type Account,
  ask,
  fettle,
  isClosed,
  launcher,
  readAccounts,
  readGaps,
  startFollower,
  startMeter,
} from '../fettle.ts'
import { exitOf, Ground, until } from '../harness.ts'

interface Scene {
  readonly ground: Ground
  readonly coturn: Coturn
  /** coturn's log. */
  readonly file: string
}

/** A coturn that writes its log into a file, and reports to `statsdb` if that is given. */
async function startScene(ground: Ground, statsdb = 'ip=127.0.0.1 port=1'): Promise<Scene> {
  const file = join(ground.folder, 'turn.log')
  startPeer(ground)
  const coturn = await startCoturn(ground, statsdb, 3, [`--log-file=${file}`, '--new-log-timestamp'])
  return { ground, coturn, file }
}

const told = ({ id, username, client, peer }: Pick<Account, 'id' | 'username' | 'client' | 'peer'>) =>
  JSON.stringify([username, id, client, peer])

/** What coturn itself has said on its standard output of allocations that are over. */
const truth = ({ coturn }: Scene): string[] =>
  Array.from(readLog(coturn))
    .filter(([, { deleted }]) => deleted)
    .map(([id, one]) => told({ id, ...one }))
    .sort()

/** Waits until all that coturn has closed is closed here, and holds it against that. */
async function assertWhole(scene: Scene, data: string): Promise<readonly Account[]> {
  const closed = () => readAccounts(data).filter(isClosed)
  await until('all that was closed', () => closed().length >= truth(scene).length)
  assert.deepEqual(closed().map(told).sort(), truth(scene))
  return closed()
}

const calls = (ground: Ground, messages: number) =>
  (['udp', 'tcp'] as const).map((transport) =>
    carriedBy(startCall(ground, { user: transport, transport, clients: 3, messages, bytes: 400 })),
  )

test('[R42] the same run by the endpoint and by the log: the same paths, the same eight counters', async (t) => {
  const ground = new Ground(t)
  const meter = await startMeter(ground)
  const scene = await startScene(ground, meter.statsdb)
  const follower = await startFollower(ground, scene.file)
  await Promise.all(calls(ground, 3000))
  startCall(ground, { user: 'mallory', secret: 'wrong', messages: 50, bytes: 100 })
  await until('the ends', () => truth(scene).length >= 9)
  const whole = await assertWhole(scene, follower.data)
  assert.ok(whole.every(({ quality, startKnown }) => quality === 'exact' && startKnown))
  const heard = await assertWhole(scene, meter.data)
  assert.deepEqual(whole.map(told).sort(), heard.map(told).sort())
  assert.deepEqual(readGaps(follower.data), [])
  t.diagnostic(`${whole.length} allocations are the same in both, to the byte`)
})

test('[R42] rotated under traffic by renaming and SIGHUP: all exact, no gap', async (t) => {
  const ground = new Ground(t)
  const scene = await startScene(ground)
  const follower = await startFollower(ground, scene.file)
  const carried = calls(ground, 5000)
  let rotations = 0
  const traffic = Promise.all(carried)
  for (let isOver = false; !isOver; rotations++) {
    for (let n = rotations; n > 0; n--) renameSync(`${scene.file}.${n}`, `${scene.file}.${n + 1}`)
    renameSync(scene.file, `${scene.file}.1`)
    await wait(100)
    scene.coturn.running.kill('SIGHUP')
    // It opens the new one with its next line.
    await until('the new file', () => existsSync(scene.file))
    isOver = await Promise.race([traffic.then(() => true), wait(1500).then(() => false)])
  }
  await until('the ends', () => truth(scene).length >= 9)
  const whole = await assertWhole(scene, follower.data)
  assert.ok(whole.every(({ quality }) => quality === 'exact'))
  assert.deepEqual(readGaps(follower.data), [])
  assert.ok(rotations >= 3)
  t.diagnostic(`${rotations} rotations, ${whole.length} allocations exact`)
})

test('[R17, R42] rotated under traffic by copytruncate: a gap each time, and nothing wrong is exact', async (t) => {
  const ground = new Ground(t)
  const scene = await startScene(ground)
  const follower = await startFollower(ground, scene.file)
  await Promise.all(calls(ground, 500))
  await until('the first ends', () => truth(scene).length >= 9)
  await assertWhole(scene, follower.data)
  const long = carriedBy(startCall(ground, { user: 'long', transport: 'tcp', clients: 2, messages: 9000, bytes: 300 }))
  for (let n = 1; n <= 2; n++) {
    await wait(1500)
    copyFileSync(scene.file, `${scene.file}.${n}`)
    truncateSync(scene.file)
    await until('the gap', () => readGaps(follower.data).length >= n)
  }
  await long
  await Promise.all(calls(ground, 500))
  const isLong = ({ username }: Pick<Account, 'username'>) => username.endsWith(':long')
  await until('the last ends', () => truth(scene).length >= 20)
  await until(
    'the same here',
    () => readAccounts(follower.data).filter(({ ended }) => ended === 'deleted').length >= 20,
  )
  const all = readAccounts(follower.data).filter(({ ended }) => ended === 'deleted')
  const known = readLog(scene.coturn)
  for (const one of all) {
    const true_ = known.get(one.id)!
    if (one.quality === 'exact') assert.equal(told(one), told({ id: one.id, ...true_ }))
    const isTooMuch = [...one.client, ...one.peer].some((value, k) => value > [...true_.client, ...true_.peer][k]!)
    assert.ok(!isTooMuch, told(one))
  }
  assert.ok(all.filter(isLong).some(({ quality }) => quality === 'lower_bound'))
  assert.ok(all.filter((one) => !isLong(one)).every(({ quality }) => quality === 'exact'))
  assert.deepEqual(new Set(readGaps(follower.data).map(({ why }) => why)), new Set(['rotation']))
})

test('[R30, R42] killed in mid-traffic over and over, and the log rotated and packed meanwhile: all exact, no gap', async (t) => {
  const ground = new Ground(t)
  const scene = await startScene(ground)
  const { file } = scene
  const traffic = Promise.all(calls(ground, 9000))
  let kills = 0
  for (let isOver = false; !isOver; kills++) {
    const follower = await startFollower(ground, file)
    isOver = await Promise.race([traffic.then(() => true), wait(200 + kills * 333).then(() => false)])
    follower.running.kill('SIGKILL')
    await exitOf(follower.running)
    if (kills % 2 === 1) continue
    renameSync(file, `${file}.${kills + 1}`)
    scene.coturn.running.kill('SIGHUP')
    await until('the new file', () => existsSync(file))
    // Nobody writes there any more, and it is as gzip would leave it: with the time of what it holds.
    const packed = gzipSync(readFileSync(`${file}.${kills + 1}`))
    appendFileSync(`${file}.${kills + 1}.gz`, packed)
    unlinkSync(`${file}.${kills + 1}`)
  }
  const follower = await startFollower(ground, file)
  await until('the ends', () => truth(scene).length >= 9)
  const whole = await assertWhole(scene, follower.data)
  assert.ok(whole.every(({ quality }) => quality === 'exact'))
  assert.deepEqual(readGaps(follower.data), [])
  assert.ok(kills >= 4)
  t.diagnostic(`${kills} kills, ${whole.length} allocations exact`)
})

test('[R44] a log that is piped in: its end ends the meter cleanly, with all that came', async (t) => {
  const ground = new Ground(t)
  const scene = await startScene(ground)
  const data = join(ground.folder, 'piped')
  const pipe = `tail -n +1 -f "$0" & tail=$!; echo $tail > "$1.tail"; wait`
  const command = `( ${pipe} ) | exec "$2" "$3" relay serve --data "$1" --resp off --log -`
  const running = ground.start('/bin/sh', ['-c', command, scene.file, data, process.execPath, launcher])
  await until('the meter', () => running.output.includes('what is piped in'))
  await Promise.all(calls(ground, 800))
  await until('the ends', () => truth(scene).length >= 9)
  const whole = await assertWhole(scene, data)
  assert.ok(whole.every(({ quality }) => quality === 'exact'))
  process.kill(Number(readFileSync(`${data}.tail`, 'utf8')))
  assert.equal(await exitOf(running), 0)
  assert.match(running.output, /standard input has ended/)
})

test('[R45] a coturn that is heard at the endpoint and by its log as well: that is said, here and by doctor', async (t) => {
  const ground = new Ground(t)
  const file = join(ground.folder, 'turn.log')
  const data = join(ground.folder, 'meter')
  const running = fettle(ground, 'relay', 'serve', '--data', data, '--resp', `${ground.address(1)}:0`, '--log', file)
  const statsdb = await until('its line', () => /^redis-statsdb="(.*)"$/m.exec(running.output)?.[1])
  const scene = await startScene(ground, statsdb)
  await Promise.all(calls(ground, 800))
  await until('the ends', () => truth(scene).length >= 9)
  await until(
    'that it is said',
    () =>
      /Allocations are counted twice: ".*turn.log" and ".*"/.test(running.complaints) ||
      /Allocations are counted twice: ".*" and ".*turn.log"/.test(running.complaints),
  )
  const [, http = '', token = ''] = /^page: (\S+)\/#token=(\S+)$/m.exec(running.output)!
  const ready = await ask<Ready>({ running, data, port: 0, statsdb, http, token }, '/readyz').catch(() => undefined)
  const doctor = fettle(ground, 'relay', 'doctor', '--data', data)
  await exitOf(doctor)
  assert.match(doctor.output, /problem +Allocations are counted twice/)
  assert.ok(ready === undefined || ready.findings.some(({ code }) => code === 'heard-twice'))
  assert.equal(running.complaints.match(/counted twice/g)!.length, 1)
})
