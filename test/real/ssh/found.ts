/** Causes are planted, measured by plain ssh, and have to be what fettle finds, each with its seconds, and nothing else. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Finding } from '@fettle/report'
import type { Lab } from './lab.ts'
import { isWork, type Looked, look, told } from './look.ts'
import type { Plant } from './plants.ts'
import { slowed } from './truth.ts'

/** What the waits that are told may differ by from what plain ssh has lost. */
const SLACK_PART = 0.1
const SLACK_SECONDS = 0.2
/** So often plain ssh is asked, where it was slow. */
const TRIES = 9
/** After so many of them, fettle is. */
const TRIES_FOR_A_LOOK = 3
const LOOKS = 3

/** It is there, whether anybody sees it or not; on a busy machine a login takes longer than that. */
function assertPlanted(seconds: number, planted: readonly Plant[]): void {
  const least = planted.reduce((sum, { found }) => sum + found.seconds, 0)
  assert.ok(seconds >= least * (1 - SLACK_PART), `plain ssh has lost ${seconds} s, expected ${least} s at least`)
}

/** The seconds that fettle tells, and those that plain ssh loses, once more. */
interface Again {
  look(): Promise<number>
  measure(): Promise<number>
}

/**
 * On a busy machine a login can be slow once. And sshd lengthens what it refuses to 1, 2, 4, … times a number of its own:
 * where a wait ends just before such a step, one login waits there for twice as long as the next.
 */
async function assertSeconds(told: number, measured: number, again: Again): Promise<void> {
  const [tolds, all] = [[told], [measured]]
  const isNear = () => Math.abs(tolds.at(-1)! - all.at(-1)!) <= SLACK_PART * all.at(-1)! + SLACK_SECONDS
  while (!isNear() && all.length < TRIES) {
    all.push(await again.measure())
    if (!isNear() && all.length % TRIES_FOR_A_LOOK === 0) tolds.push(await again.look())
  }
  assert.ok(isNear(), `${tolds} s told, ${all} s measured`)
}

const foundIn = ({ report }: Looked, planted: readonly Plant[]) => {
  const isNote = planted.some(({ found }) => found.isNote)
  return report.findings.filter((one) => isNote || isWork(one))
}

const waitOf = (found: readonly Finding[]): number =>
  found.reduce((sum, { quantities }) => sum + (quantities.wait?.value ?? Number.NaN), 0)

/**
 * On a busy machine pairs of logins tell nothing at first, and something else can be slow once, which is rightly told:
 * what is wrongly found is found again.
 */
async function lookWell(lab: Lab, planted: readonly Plant[]): Promise<Looked> {
  const isToBeMeasured = planted.length === 1 && planted[0]!.proof !== undefined
  for (let i = 1; ; i++) {
    const looked = await look(lab, planted)
    const isMeasured = looked.report.findings.some(({ confidence }) => confidence === 'measured')
    const isAlone = foundIn(looked, planted).length <= planted.length
    if (((isMeasured || !isToBeMeasured) && isAlone) || i === LOOKS) return looked
  }
}

export async function assertFound(t: TestContext, planted: readonly Plant[]): Promise<void> {
  const { lab, measure, measureBeside } = await slowed(t, planted)
  const seconds = await measure()
  assertPlanted(seconds, planted)
  const looked = await lookWell(lab, planted)
  const { report, status, seconds: took } = looked
  t.diagnostic(`${seconds.toFixed(2)} s by plain ssh; check took ${took.toFixed(1)} s\n${told(report).join('\n')}`)
  const isNote = planted.some(({ found }) => found.isNote)
  const found = foundIn(looked, planted)
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
  const lookAgain = async () => waitOf(foundIn(await lookWell(lab, planted), planted))
  await assertSeconds(waitOf(found), seconds, { look: lookAgain, measure: measureBeside })
}
