/** Damaged logs that are followed: whatever is lost, wherever a file ends, no number is wrong. */
import assert from 'node:assert/strict'
import { appendFileSync, renameSync, rmSync, truncateSync, utimesSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { AllocationRecord } from '../src/core/record.ts'
import { damagedText, damages, faults, log, places } from './log-damage.ts'
import { LogRig, pace, START } from './log-rig.ts'
import { eight, recordsOf } from './log-world.ts'

const RUNS = 60
const HOUR = 3_600_000
const sizes = fc.integer({ min: 30, max: 5000 })
const what = fc.constantFrom(...Object.keys(damages))

/** Follows the text, written in parts; `between` is done to the file before each further part. */
async function followed(
  t: TestContext,
  parts: readonly string[],
  pieceBytes: number,
  between: (rig: LogRig, nth: number) => void = () => {},
): Promise<AllocationRecord[]> {
  const rig = new LogRig(t)
  rig.pace = { ...pace, pieceBytes, pollMs: 1, retryMs: 1 }
  // The year of syslog's times is that of the file's.
  rig.now = START + HOUR
  for (const [i, part] of parts.entries()) {
    if (i > 0) between(rig, i)
    appendFileSync(rig.path, part, 'latin1')
    if (i === 0) await rig.start()
    await rig.settle()
    await rig.settle()
  }
  rig.now += 2 * HOUR
  await rig.settle()
  await rig.kill()
  return rig.records()
}

const told = (records: readonly AllocationRecord[]) =>
  records
    .map(({ id, username, quality, client, peer }) => [id, username, quality, ...eight(client, peer)].join())
    .sort()

test('[R40, R42] what is followed comes to the same as what is replayed, however it is damaged', async (t) => {
  const property = fc.asyncProperty(log, what, places, sizes, async (one, how, where, size) => {
    const text = damagedText(one, how, where)
    const records = await followed(t, [text], size)
    assert.deepEqual(told(records), told(recordsOf(Buffer.from(text, 'latin1'), [size])), text)
    assert.deepEqual(faults(records, one.calls), [], text)
  })
  await fc.assert(property, { numRuns: RUNS })
})

/** The text in two to four parts, cut anywhere. */
const cutAt = (text: string, cuts: readonly number[]) => {
  const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length]
  return at.slice(1).map((end, i) => text.slice(at[i], end))
}
const cuts = fc.array(fc.nat(), { minLength: 1, maxLength: 3 })

function rename({ path }: LogRig, nth: number): void {
  utimesSync(path, nth, nth)
  renameSync(path, `${path}.${9 - nth}`)
}

const rotations: Readonly<Record<string, (rig: LogRig, nth: number) => void>> = {
  'is renamed in the middle of a line': rename,
  'is cut in the middle of a line': ({ path }) => truncateSync(path),
  'is removed in the middle of a line': ({ path }) => rmSync(path),
}

for (const [how, rotate] of Object.entries(rotations)) {
  test(`[R40, R42] a file that ${how} makes no number wrong`, async (t) => {
    const property = fc.asyncProperty(log, what, places, cuts, sizes, async (one, damage, where, at, size) => {
      const text = damagedText(one, damage, where)
      const records = await followed(t, cutAt(text, at), size, rotate)
      assert.deepEqual(faults(records, one.calls), [], text)
    })
    await fc.assert(property, { numRuns: RUNS })
  })
}

const ID = 'session 000000000000000001: '
const hostile = fc.constantFrom(
  `${ID}usage: realm=<r>, username=<user0>, rp=9, rb=9, sp=9, sb=9`,
  `x>: ${ID}delete: realm=<r>, username=<ann>`,
  `x> ${ID}new, realm=<r>, username=<user0>, lifetime=600`,
  `2026-11-22T10:00:00+0000: ${ID}peer usage: realm=<r>, username=<user0>, rp=9, rb=9, sp=9, sb=9`,
  'session 000000000000000001',
  'x'.repeat(900),
  '\x01\xff%n%s\t<>"\'\\',
)
/** Where coturn prints what a stranger calls itself, before it has asked for the password. */
const spoken = fc
  .tuple(hostile, fc.constantFrom('000000000000000001', '000000000000000077'))
  .chain(([name, id]) =>
    fc.constantFrom(
      `session ${id}: realm <r> user <${name}>: incoming packet message processed, error 401: Unauthorized`,
      `ERROR: check_stun_auth: wrong username: ${name}`,
      `session ${id}: closed (2nd stage), user <${name}> realm <r> origin <${name}>, local 1.1.1.1:1, remote 2.2.2.2:2, reason: x`,
    ),
  )

test('[R27, R40] what strangers call themselves counts nothing, in a replay and when it is followed', async (t) => {
  const strangers = fc.array(fc.tuple(fc.nat(), spoken), { minLength: 1, maxLength: 6 })
  const property = fc.asyncProperty(log, strangers, sizes, async (one, said, size) => {
    const lines = [...one.lines]
    for (const [nth, text] of said) lines.splice(nth % (lines.length + 1), 0, one.front(0, nth % 60) + text)
    const text = lines.map((line) => `${line}\n`).join('')
    const replayed = recordsOf(Buffer.from(text, 'latin1'), [size])
    assert.deepEqual(faults(replayed, one.calls), [], text)
    assert.deepEqual(told(await followed(t, [text], size)), told(replayed), text)
  })
  await fc.assert(property, { numRuns: RUNS })
})
