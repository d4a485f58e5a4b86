/** Real Redis servers, ill and healthy, and what `fettle redis check` says of each. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Quantity } from '@fettle/report'
import { healthy } from './healthy.ts'
import { type Illness, illnesses } from './illnesses.ts'
import { type Looked, lookAt, told, who } from './patient.ts'

/** Most of the time is waiting for the look to be over. */
const AT_ONCE = 3

const isWork = ({ severity }: { readonly severity: string }) => severity !== 'note'

function assertUntouched({ left }: Looked): void {
  assert.deepEqual(left.after, left.before, 'settings, connections and keys are as they were')
}

/** A longer table is cut, and says nothing of what is missing in it. */
const ROWS_MAX = 20
/** Of all calls of a command; whoever has less may not be seen at all. */
const PART_MIN = 0.1
/** What is counted and what is looked at do not begin and end in the same moment. */
const APART = 0.05

/** Who asks for what is told as those have counted who asked. */
function assertAttributed({ report, truth }: Looked): void {
  const rows = report.tables.find(({ name }) => name === 'use')?.rows ?? []
  if (rows.length === ROWS_MAX) return
  const callsOf = (row: (typeof rows)[number]) => row[4] as Quantity
  // EXEC is never logged.
  for (const one of truth.filter(({ command }) => command !== 'exec')) {
    const counted = truth.filter(({ command }) => command === one.command).reduce((sum, { calls }) => sum + calls, 0)
    const same = rows.filter(([command]) => command === one.command)
    const seen = same.reduce((sum, row) => sum + callsOf(row).value, 0)
    if (one.calls < PART_MIN * counted) continue
    const label = `${one.command} ${one.keys} from ${one.client}`
    const row = same.find(([, keys, client]) => keys === one.keys && (one.client === '' || client === one.client))
    assert.ok(row, `${label}\n${JSON.stringify(same)}`)
    const [part, { value, low = value, high = value }] = [one.calls / counted, callsOf(row)]
    const isInside = low / seen - APART <= part && part <= high / seen + APART
    assert.ok(isInside, `${label}: ${part} counted, ${low / seen} to ${high / seen} told`)
  }
}

/** On a busy machine a load may not come about; a look at a Redis that was not ill says nothing. */
const TRIES = 3

async function lookAtIll(test: TestContext, illness: Illness): Promise<Looked> {
  for (let i = 1; ; i++) {
    const looked = await lookAt(test, illness)
    if (illness.isReal(looked.vitals)) return looked
    const rate = looked.vitals.grown('total_commands_processed') / looked.vitals.seconds
    test.diagnostic(`not ill yet: ${Math.round(rate)} commands a second`)
    assert.ok(i < TRIES, `the illness was not there in ${TRIES} looks`)
  }
}

async function assertFound(t: TestContext, illness: Illness): Promise<void> {
  const looked = await lookAtIll(t, illness)
  const { report, status } = looked
  const { codes, subject, who: client } = illness.found
  t.diagnostic(told(report).join('\n'))
  const work = report.findings.filter(isWork)
  const found = work.filter((one) => codes.includes(one.code) && one.subject.startsWith(subject))
  assert.ok(found.length > 0, told(report).join('\n'))
  for (const one of found) {
    if (client !== undefined) assert.ok(who(one).includes(client), who(one))
    assert.ok(one.remedy.length > 0, 'it is said what to do')
  }
  const others = work.filter((one) => !found.includes(one) && !illness.also?.includes(one.code))
  assert.deepEqual(told({ ...report, findings: others }), [])
  assert.equal(status, 1)
  assertUntouched(looked)
}

const [hungry, others] = [true, undefined].map((isHungry) => illnesses.filter((one) => one.isHungry === isHungry))

describe('an ill Redis', { concurrency: AT_ONCE }, () => {
  for (const illness of others!) test(`[D12] ${illness.name}`, (t) => assertFound(t, illness))
})

describe('an ill Redis that leaves no CPU to others', () => {
  for (const illness of hungry!) test(`[D12] ${illness.name}`, (t) => assertFound(t, illness))
})

describe('a healthy Redis', { concurrency: AT_ONCE }, () => {
  for (const one of healthy) {
    test(`[D1, D4] ${one.name}`, async (t) => {
      const looked = await lookAt(t, one)
      assert.deepEqual(told({ ...looked.report, findings: looked.report.findings.filter(isWork) }), [])
      for (const [command, least] of Object.entries(one.seen)) {
        assert.ok(looked.vitals.callsOf(command) >= least, `${command}: ${looked.vitals.callsOf(command)}`)
      }
      assert.equal(looked.status, 0)
      assertAttributed(looked)
      assertUntouched(looked)
    })
  }
})
