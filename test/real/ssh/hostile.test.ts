/** What `fettle ssh check` makes of servers that are none, and of a way that breaks: it ends, and says so in one line. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { breaking, HOSTILE_PORT, hostile, refusals } from './hostile.ts'
import { HOST, Lab } from './lab.ts'
import type { Ran } from './machine.ts'
import { ways } from './no-sshd.ts'

const AT_ONCE = 8
const LIMIT_SECONDS = 4
/** Logins that were given up, and a few questions beside them. */
const SECONDS_MAX = 90
/** Who keeps what a server floods with does not get along with this. */
const MEMORY = '--max-old-space-size=64'
const TEXT_MAX = 20_000

const PORT = ['-p', `${HOSTILE_PORT}`]

async function checkAt(lab: Lab, where: readonly string[] = [HOST, ...PORT]): Promise<Ran> {
  const words = [...where, '--limit', `${LIMIT_SECONDS}`]
  const ran = await lab.fettle(['ssh', 'check', ...words], { env: { NODE_OPTIONS: MEMORY }, limitSeconds: SECONDS_MAX })
  const text = `${ran.output}${ran.complaints}`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be there
  assert.doesNotMatch(text, /[\0-\x09\x0b-\x1f\x7f-\x9f]/)
  assert.ok(text.length < TEXT_MAX, `${text.length} characters`)
  assert.notEqual(ran.status, 'SIGKILL', `still not over after ${SECONDS_MAX} s`)
  return ran
}

function assertNotThrough({ status, complaints, output }: Ran, t: TestContext): void {
  t.diagnostic(complaints.trim())
  assert.equal(status, 3, `${output}${complaints}`)
  assert.match(complaints, /^[^\n]+\n$/)
}

describe('[S18] a server that is none', { concurrency: AT_ONCE }, () => {
  for (const way of ways) {
    test(way, async (t) => {
      const lab = await Lab.open(t, (opened) => hostile(opened, way))
      assertNotThrough(await checkAt(lab), t)
    })
  }
})

/** Of some 2,260 that a whole login has, from the first line of the server to the end. */
const BYTES = [1, 41, 700, 1040, 1300, 1520]
/** By then somebody is logged in (some 1,620), and what comes after it is lost. */
const LATE_BYTES = [1850, 2050]

describe('[S18] a way to a server, which breaks', { concurrency: AT_ONCE }, () => {
  for (const how of ['ends', 'hangs'] as const) {
    for (const bytes of [...BYTES, ...LATE_BYTES]) {
      test(`${how} after ${bytes} bytes`, async (t) => {
        const lab = await Lab.open(t, (opened) => breaking(opened, how, bytes))
        const ran = await checkAt(lab)
        assertNotThrough(ran, t)
        assert.match(ran.complaints, LATE_BYTES.includes(bytes) ? /did not come to its end/ : /nobody was logged in/)
      })
    }
  }
})

describe('[S17, S18] a login that is refused', { concurrency: AT_ONCE }, () => {
  for (const { name, plant, to = HOST, says } of refusals) {
    test(name, async (t) => {
      const lab = await Lab.open(t, plant)
      const ran = await checkAt(lab, [to])
      assertNotThrough(ran, t)
      assert.match(ran.complaints, says)
      // A wait would be a line of this kind.
      assert.doesNotMatch(ran.output, /^FAULT/im)
    })
  }
})
