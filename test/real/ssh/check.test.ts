/** What `fettle ssh check` says of logins that are slow: each cause by its name, with its seconds, and nothing else. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { isWork, look, told } from './look.ts'
import { type Plant, pairs, plants } from './plants.ts'
import { slowed } from './truth.ts'

/** Most of the time is waiting. */
const AT_ONCE = 9

/** What the waits that are told may differ by from what plain ssh has lost. */
const SLACK_PART = 0.1
const SLACK_SECONDS = 0.2
/** So often plain ssh is asked again, where it was slow: the quickest login counts. */
const TRIES = 6

/** It is there, whether anybody sees it or not; on a busy machine a login takes longer than that. */
function assertPlanted(seconds: number, planted: readonly Plant[]): void {
  const least = planted.reduce((sum, { found }) => sum + found.seconds, 0)
  assert.ok(seconds >= least * (1 - SLACK_PART), `plain ssh has lost ${seconds} s, expected ${least} s at least`)
}

async function assertSeconds(told: number, measure: () => Promise<number>, first: number): Promise<void> {
  const isNear = (one: number) => Math.abs(told - one) <= SLACK_PART * one + SLACK_SECONDS
  let seconds = first
  for (let i = 1; i < TRIES && !isNear(seconds); i++) seconds = await measure()
  assert.ok(isNear(seconds), `${told} s told, ${seconds} s measured`)
}

async function assertFound(t: TestContext, planted: readonly Plant[]): Promise<void> {
  const { lab, measure } = await slowed(t, planted)
  const seconds = await measure()
  assertPlanted(seconds, planted)
  const { report, status, seconds: took } = await look(lab, planted)
  t.diagnostic(`${seconds.toFixed(2)} s by plain ssh; check took ${took.toFixed(1)} s\n${told(report).join('\n')}`)
  const isNote = planted.some(({ found }) => found.isNote)
  const found = report.findings.filter((one) => isNote || isWork(one))
  // One is the first, two are both there, and beside them nothing is.
  assert.equal(found.length, planted.length, told(report).join('\n'))
  for (const plant of planted) {
    const codes: readonly string[] = plant.found.codes
    const one = found.find(({ code }) => codes.includes(code))
    assert.ok(one !== undefined, `not found: ${codes}\n${told(report).join('\n')}`)
    assert.ok(one.remedy.length > 0, `${one.code}: it is said what to do`)
    if (plant.proof !== undefined && planted.length === 1) assert.equal(one.confidence, 'measured', one.cause)
  }
  assert.equal(status, isNote ? 0 : 1)
  if (isNote || seconds === Infinity) return
  const waits = found.reduce((sum, { quantities }) => sum + (quantities.wait?.value ?? Number.NaN), 0)
  await assertSeconds(waits, measure, seconds)
}

/** Those that take minutes run where somebody asks for them. */
const isWanted = ({ isLong }: Plant) => isLong !== true || process.env.FETTLE_LONG_WAITS === '1'

describe('[S14, S15, S16] a slow login', { concurrency: AT_ONCE }, () => {
  // The longest first, so that nobody waits for it at the end.
  const bySeconds = plants.filter(isWanted).sort((a, b) => finite(b) - finite(a))
  const [longest, ...rest] = bySeconds.map((plant) => [plant])
  for (const planted of [longest!, ...pairs, ...rest]) {
    test(planted.map(({ name }) => name).join(', and '), (t) => assertFound(t, planted))
  }
})

function finite({ found: { seconds } }: Plant): number {
  return seconds === Infinity ? 0 : seconds
}
