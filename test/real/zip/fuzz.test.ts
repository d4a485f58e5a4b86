/**
 * Archives that something happened to, for FETTLE_FUZZ_SECONDS: nothing breaks down, hangs, takes much memory, writes
 * beside its folder, or says that all is well where a file is not what the directory says.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import { Ground } from '../harness.ts'
import { Chance } from './chance.ts'
import { thingsIn } from './extracting.ts'
import type { Came, Task } from './fuzz-child.ts'
import { mutant } from './mutations.ts'
import { oddContents } from './odd-contents.ts'
import { oddEnds } from './odd-ends.ts'
import { oddNames } from './odd-names.ts'

const SECONDS = Number(process.env.FETTLE_FUZZ_SECONDS ?? 20)
const SEED = Number(process.env.FETTLE_FUZZ_SEED ?? Date.now() % 1e9)
const LONGEST_SECONDS = 10
const MOST_RSS = 400 * 2 ** 20
const LARGEST = 100_000
/** A process is as old as the caches it has: what it holds is measured while it is young and when it is old. */
const TASKS_OF_A_CHILD = 2000

class Child {
  readonly #process: ChildProcess = fork(fileURLToPath(new URL('./fuzz-child.ts', import.meta.url)))
  tasks = 0

  constructor(t: TestContext) {
    t.after(() => this.stop())
  }

  async isReady(): Promise<void> {
    await once(this.#process, 'message')
  }

  /** undefined: it has not ended in time; a text: it is no more. */
  async do(task: Task): Promise<Came | string | undefined> {
    this.tasks += 1
    const done = new AbortController()
    const timer = setTimeout(() => done.abort(), LONGEST_SECONDS * 1000)
    try {
      const { signal } = done
      const answer = once(this.#process, 'message', { signal }).then(([came]) => came as Came)
      const end = once(this.#process, 'exit', { signal }).then(([status, by]) => `it ended with ${by ?? status}`)
      this.#process.send(task)
      return await Promise.race([answer, end.catch(() => undefined)]).catch(() => undefined)
    } finally {
      clearTimeout(timer)
      done.abort()
    }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await gone
  }
}

/** CRC and size of each entry of the directory that is found from the end, in the simplest way there is. */
function truthOf(archive: Buffer): Set<string> {
  const truth = new Set<string>()
  const mark = Buffer.from('PK\x01\x02')
  for (let at = archive.indexOf(mark); at >= 0 && at + 46 <= archive.length; at = archive.indexOf(mark, at + 1)) {
    truth.add(`${archive.readUInt32LE(at + 16)}`)
  }
  return truth
}

async function startChild(t: TestContext): Promise<Child> {
  const child = new Child(t)
  await child.isReady()
  return child
}

test(`fuzzed for ${SECONDS} s [Z28]`, async (t) => {
  const ground = new Ground(t)
  const whole = [...oddNames, ...oddContents, ...oddEnds]
    .filter(({ name }) => !name.includes('gigabyte'))
    .map((one) => Buffer.from(one.make()))
    .filter(({ length }) => length < LARGEST)
  const around = join(ground.folder, 'around')
  mkdirSync(join(around, 'home'), { recursive: true })
  writeFileSync(join(around, 'canary'), 'canary')
  writeFileSync(join(around, 'home', 'canary'), 'canary')
  const archive = join(ground.folder, 'fuzzed.zip')
  let child = await startChild(t)
  const statuses = new Map<number, number>()
  const end = performance.now() + SECONDS * 1000
  let mostRss = 0
  for (let i = 0; performance.now() < end; i++) {
    if (child.tasks >= TASKS_OF_A_CHILD) {
      await child.stop()
      child = await startChild(t)
    }
    const bytes = mutant(new Chance(SEED + i), whole)
    writeFileSync(archive, bytes)
    const folder = join(around, 'home', 'out')
    const came = await child.do({ archive, folder })
    // The same archive comes of the same number alone: FETTLE_FUZZ_SEED=number.
    const what = `the archive of seed ${SEED + i}`
    if (came === undefined) assert.fail(`${what} takes more than ${LONGEST_SECONDS} s`)
    if (typeof came === 'string') assert.fail(`${what}: ${came}`)
    check(what, came, bytes, around)
    mostRss = Math.max(mostRss, came.mostRss)
    statuses.set(came.status!, (statuses.get(came.status!) ?? 0) + 1)
    rmSync(folder, { recursive: true, force: true })
  }
  const told = [...statuses].sort().map(([status, times]) => `${times} with status ${status}`)
  t.diagnostic(`from seed ${SEED}: ${told.join(', ')}; at most ${Math.round(mostRss / 2 ** 20)} MB`)
  for (const status of [0, 1, 3]) assert.ok((statuses.get(status) ?? 0) > 0, `no archive came to status ${status}`)
})

function check(what: string, came: Came, archive: Buffer, around: string): void {
  const { status, text, loud, mostRss } = came
  if (status === undefined) assert.fail(`${what} breaks it down: ${text}`)
  assert.ok(mostRss < MOST_RSS, `${what} takes ${Math.round(mostRss / 2 ** 20)} MB`)
  assert.deepEqual(readdirSync(around).sort(), ['canary', 'home'], what)
  const home = readdirSync(join(around, 'home')).filter((name) => name !== 'out')
  assert.deepEqual(home, ['canary'], what)
  for (const path of ['canary', 'home/canary']) assert.equal(readFileSync(join(around, path), 'utf8'), 'canary', what)
  assert.equal(status === 0 || status === 1, text === '', `${what}: status ${status}, and it says ${text}`)
  assert.equal(status === 1, loud.length > 0, `${what}: status ${status}, and it tells ${loud}`)
  const truth = truthOf(archive)
  for (const [path, { content }] of thingsIn(join(around, 'home', 'out'))) {
    if (content === undefined) continue
    assert.ok(truth.has(`${crc32(content)}`), `${what}: ${path} is not what any record says`)
  }
}
