/** What `fettle ssh check` says of logins that are quick: nothing, whatever could be taken for a cause. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { healthy } from './healthy.ts'
import { HOST, Lab } from './lab.ts'
import { isWork, type Looked, reported, told } from './look.ts'

/** Nothing waits there, so they take each other's time. */
const AT_ONCE = 2

/** On a busy machine a login may be slow indeed; what the set-up makes is there each time. */
const LOOKS = 3

async function untilQuick(look: () => Promise<Looked>): Promise<Looked> {
  for (let i = 1; ; i++) {
    const looked = await look()
    if (i === LOOKS || !looked.report.findings.some(isWork)) return looked
  }
}

describe('[S5, S14] a quick login', { concurrency: AT_ONCE }, () => {
  for (const { name, plant, words = [HOST], password } of healthy) {
    test(name, async (t) => {
      const lab = await Lab.open(t, plant)
      const { report, status } = await untilQuick(() => reported(lab, ['--logins', '1', ...words], password))
      assert.deepEqual(report.findings.filter(isWork), [], told(report).join('\n'))
      assert.equal(status, 0)
      const login = report.measures.find((one) => one.name === 'login')?.quantity.value
      assert.ok(login !== undefined && login < 2, `${login} s`)
    })
  }
})
