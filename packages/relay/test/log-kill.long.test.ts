/** A meter that follows a log and is killed at any piece of it: the same rows as in one go. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { LogRig, pace, START } from './log-rig.ts'
import { calls, fronts, interleave } from './log-world.ts'

/** Lines of calls, some of them broken off: what is doubted must be remembered too. */
const log = fc.constantFrom(...fronts).chain(({ tells, front }) =>
  fc
    .record({
      calls: calls(tells),
      order: fc.array(fc.nat(100), { minLength: 1, maxLength: 60 }),
      broken: fc.array(fc.nat(1000), { maxLength: 3 }),
    })
    .map(({ calls: all, order, broken }) => {
      const lines = interleave(all, front, order)
      const cut = new Set(broken.map((nth) => nth % (lines.length * 4)))
      return lines.map((line, i) => (cut.has(i) ? line.slice(0, -5 - (i % 60)) : line))
    }),
)

const steps = fc.array(
  fc.record({
    lines: fc.nat(12),
    /** The next line is written only so far. */
    half: fc.double({ min: 0, max: 0.9, noNaN: true }),
    rotate: fc.constantFrom('no', 'no', 'rename', 'rename and pack'),
    /** While no meter runs. */
    isDown: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
)
/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function diceOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Everything that is in the ledger but the place in the file. */
function rowsOf({ ledger }: LogRig): unknown[] {
  const tables = ['allocation', 'live', 'usage', 'session', 'gap', 'rejected']
  // What became final by one commit did so in no order.
  const outbox = 'SELECT session_id, revision FROM outbox ORDER BY 1, 2'
  const streams = 'SELECT boot, peer, malformed, position, heard_at FROM stream'
  return [...tables.map((table) => `SELECT * FROM ${table} ORDER BY 1, 2, 3`), outbox, streams].map((sql) =>
    ledger.db.prepare(sql).all(),
  )
}

/** As logrotate would: `turn.log.2` may be packed. What was written last is told by files' times. */
function rotate({ path }: LogRig, isPacked: boolean): void {
  for (let n = 20; n > 0; n--) {
    const old = n === 1 ? path : `${path}.${n - 1}`
    if (existsSync(old)) renameSync(old, `${path}.${n}`)
    if (existsSync(`${old}.gz`)) renameSync(`${old}.gz`, `${path}.${n}.gz`)
  }
  const packed = `${path}.2`
  if (!isPacked || !existsSync(packed)) return
  const { atime, mtime } = statSync(packed)
  writeFileSync(`${packed}.gz`, gzipSync(readFileSync(packed)))
  utimesSync(`${packed}.gz`, atime, mtime)
  unlinkSync(packed)
}

class Writer {
  readonly rig: LogRig
  readonly #lines: string[]
  readonly #count: number
  #rest = ''
  /** Counts writes and rotations: the files' times. */
  #second = 0

  constructor(rig: LogRig, lines: readonly string[]) {
    this.rig = rig
    this.#lines = [...lines]
    this.#count = lines.length
  }

  write(count: number, half: number): void {
    const whole =
      this.#rest +
      this.#lines
        .splice(0, count)
        .map((line) => `${line}\n`)
        .join('')
    const next = half > 0.3 && this.#lines.length > 0 ? `${this.#lines.shift()}\n` : ''
    const at = Math.floor(next.length * half)
    this.#rest = next.slice(at)
    this.#second++
    this.#append(whole + next.slice(0, at))
  }

  /** Before that the line is written to its end. */
  rotate(isPacked: boolean): void {
    this.#append(this.#rest)
    this.#rest = ''
    rotate(this.rig, isPacked)
    this.#second++
  }

  get isDone(): boolean {
    return this.#lines.length === 0 && this.#rest === ''
  }

  #append(text: string): void {
    if (text === '') return
    appendFileSync(this.rig.path, text)
    const at = new Date(START + 86_400_000 + this.#second * 1000)
    utimesSync(this.rig.path, at, at)
    // Lines are a second apart; the clock is a little ahead of them.
    this.rig.now = START + (this.#count - this.#lines.length + 1) * 1000
  }
}

let kills = 0

test('[R42] killed at any piece and started again, the meter comes to the same rows as in one go', async (t) => {
  const property = fc.asyncProperty(
    log,
    steps,
    fc.integer(),
    fc.integer({ min: 40, max: 4000 }),
    async (lines, todo, seed, pieceBytes) => {
      const killed = new LogRig(t)
      killed.pace = { ...pace, pieceBytes, pollMs: 1, retryMs: 1 }
      const writer = new Writer(killed, lines)
      let left = 12
      const throwDie = diceOf(seed)
      /** Runs until all that is there has been read without being killed. */
      const run = async () => {
        for (;;) {
          let isKilled = false
          await killed.start((rig) => {
            const die = throwDie()
            if (die < 0.5) rig.commit()
            isKilled ||= die > 0.75 && left-- > 0
            return isKilled ? 'kill' : 'go on'
          })
          await killed.settle(() => isKilled)
          if (!isKilled) killed.commit()
          await killed.kill()
          if (!isKilled) return
          kills++
        }
      }
      // From then on it knows the log, wherever that gets to.
      writer.write(1, 0)
      await run()
      for (const { lines: count, half, rotate: how, isDown } of [
        ...todo,
        { lines: 1000, half: 0, rotate: 'no', isDown: false },
      ]) {
        writer.write(count, half)
        if (how !== 'no') writer.rotate(how !== 'rename')
        if (!isDown) await run()
      }
      writer.write(0, 0)
      // Long after all, so that what is open ends: of that the ledger holds less.
      killed.now += 3_600_000
      await run()
      assert.ok(writer.isDone)

      const atOnce = new LogRig(t)
      atOnce.now = killed.now
      writeFileSync(atOnce.path, lines.map((line) => `${line}\n`).join(''))
      await atOnce.start()
      await atOnce.settle()
      assert.deepEqual(rowsOf(killed), rowsOf(atOnce))
    },
  )
  await fc.assert(property, { numRuns: 25 })
  assert.ok(kills >= 50, `${kills} kills`)
  t.diagnostic(`${kills} kills`)
})
