/** Real Redis servers, ill and healthy, and what `fettle redis check` says of each. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { healthy } from './redis-healthy.ts'
import { illnesses } from './redis-illnesses.ts'
import { type Looked, lookAt, told, who } from './redis-patient.ts'

/** Most of the time is waiting for the look to be over. */
const AT_ONCE = 3

const isWork = ({ severity }: { readonly severity: string }) => severity !== 'note'

function assertUntouched({ left }: Looked): void {
  assert.deepEqual(left.after, left.before, 'settings, connections and keys are as they were')
}

describe('an ill Redis', { concurrency: AT_ONCE }, () => {
  for (const illness of illnesses) {
    test(`[D12] ${illness.name}`, async (t) => {
      const looked = await lookAt(t, illness)
      const { report, vitals, status } = looked
      const { code, subject, who: client } = illness.found
      t.diagnostic(told(report).join('\n'))
      assert.ok(illness.isReal(vitals), 'the illness is there')
      const found = report.findings.filter((one) => one.code === code && one.subject === subject)
      assert.equal(found.length, 1, told(report).join('\n'))
      assert.notEqual(found[0]!.severity, 'note')
      if (client !== undefined) assert.ok(who(found[0]!).includes(client), who(found[0]!))
      assert.ok(found[0]!.remedy.length > 0, 'it is said what to do')
      const others = report.findings.filter((one) => isWork(one) && one !== found[0])
      assert.deepEqual(
        others.filter((one) => !illness.also?.includes(one.code)).map((one) => `${one.code} ${one.subject}`),
        [],
      )
      assert.equal(status, 1)
      assertUntouched(looked)
    })
  }
})

describe('a healthy Redis', { concurrency: AT_ONCE }, () => {
  for (const one of healthy) {
    test(`[D1] ${one.name}`, async (t) => {
      const looked = await lookAt(t, one)
      assert.deepEqual(told({ ...looked.report, findings: looked.report.findings.filter(isWork) }), [])
      for (const [command, least] of Object.entries(one.seen)) {
        assert.ok(looked.vitals.callsOf(command) >= least, `${command}: ${looked.vitals.callsOf(command)}`)
      }
      assert.equal(looked.status, 0)
      assertUntouched(looked)
    })
  }
})
