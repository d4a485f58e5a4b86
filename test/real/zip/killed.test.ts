/** fettle zip extract, killed at any moment: what has its name is whole, and the next run brings the rest. */
import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fettle } from '../fettle.ts'
import { exitOf, Ground } from '../harness.ts'
import { Chance } from './chance.ts'
import { thingsIn } from './extracting.ts'
import { zip } from './writer.ts'

/** `FETTLE_KILLS=100` takes minutes. */
const KILLS = Number(process.env.FETTLE_KILLS ?? 30)
const FILES = 10_000
const MEMORY = '/dev/shm'
const SEED = Number(process.env.FETTLE_ZIP_SEED ?? 11)
/** A machine that is too busy, or a tool that is through before each kill, is told and not waited for. */
const MOST_RUNS = 3 * KILLS

type Contents = ReadonlyMap<string, Buffer>

function contentsOf(chance: Chance): Contents {
  const path = (i: number) => `d${i % 37}/e${i % 7}/f${i}`
  return new Map(
    Array.from({ length: FILES }, (_, i) => [
      path(i),
      Buffer.alloc(chance.below(6000), `${chance.below(1e9)} of ${i}\n`),
    ]),
  )
}

/** Each file that has its name is whole; of those, what tells whether anybody has touched it since. */
function wholeIn(folder: string, contents: Contents, things = thingsIn(folder)): Map<string, string> {
  const touched = new Map<string, string>()
  for (const [path, content] of contents) {
    const thing = things.get(path)
    if (thing === undefined) continue
    assert.ok(thing.content!.equals(content), `${path} holds ${thing.content!.length} of ${content.length} bytes`)
    const { ino, ctimeNs } = lstatSync(join(folder, path), { bigint: true })
    touched.set(path, `${ino} ${ctimeNs}`)
  }
  return touched
}

function checkUntouched(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
  for (const [path, mark] of before) assert.equal(after.get(path), mark, `${path} was whole, and was written again`)
}

test('killed again and again, it leaves nothing half-written and begins nothing twice [Z13, Z17]', async (t) => {
  const ground = new Ground(t)
  const chance = new Chance(SEED)
  const contents = contentsOf(chance)
  const archive = join(ground.folder, 'many.zip')
  writeFileSync(archive, zip({ entries: [...contents].map(([name, content]) => ({ name, content })) }))
  // On a disk, making the files and reading them again would take most of the time.
  const root = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : ground.folder, 'fettle-real-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  let number = 0
  let folder = ''
  const start = () => fettle(ground, 'zip', 'extract', archive, '-d', folder)
  const next = () => {
    if (number > 0) rmSync(folder, { recursive: true, force: true })
    number += 1
    folder = join(root, `out${number}`)
  }
  /** To its end; then everything is there, and nothing else. */
  const finish = async (before: ReadonlyMap<string, string>) => {
    const running = start()
    assert.equal(await exitOf(running, 60), 0, running.output)
    const things = thingsIn(folder)
    const after = wholeIn(folder, contents, things)
    checkUntouched(before, after)
    const files = [...things].filter(([, { kind }]) => kind !== 'folder').map(([path]) => path)
    assert.deepEqual(files.sort(), [...contents.keys()].sort())
  }

  next()
  const began = performance.now()
  await finish(new Map())
  let wholeMs = performance.now() - began
  next()
  let before: Map<string, string> = new Map()
  let [kills, within, runs] = [0, 0, 0]
  while (kills < KILLS) {
    runs += 1
    assert.ok(runs < MOST_RUNS, `only ${kills} of ${runs} runs could be killed`)
    const running = start()
    // Nothing has a name for the first half second.
    await wait((wholeMs * (chance.once(2) ? chance.below(100) : 55 + chance.below(30))) / 100)
    running.kill('SIGKILL')
    const isKilled = (await running.ended) === 'SIGKILL'
    // The machine was busier at first.
    if (!isKilled && before.size === 0) wholeMs *= 0.9
    const after = wholeIn(folder, contents)
    checkUntouched(before, after)
    kills += isKilled ? 1 : 0
    within += isKilled && after.size > before.size && after.size < FILES ? 1 : 0
    before = after
    if (isKilled && after.size < FILES && !chance.once(4)) continue
    await finish(before)
    next()
    before = new Map()
  }
  t.diagnostic(`${kills} kills of ${runs} runs, ${within} of them while files were written; ${number} folders`)
  assert.ok(within >= KILLS / 10, `only ${within} kills came while files were written`)
})
