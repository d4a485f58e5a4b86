/** Whatever is pasted: no crash, no made-up time, nothing that steers a terminal, and soon. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonText, type Quantity, reportText } from '@fettle/report'
import fc from 'fast-check'
import { readLog } from '../src/core/log.ts'
import { explained } from '../src/explain.ts'
import { recordings } from './recordings.ts'

const LOGS = Array.from(recordings.values(), (text) => text.trimEnd().split('\n'))

/** Holds what must hold of any text; returns the seconds from its first line to its last. */
function hold(text: string): number | undefined {
  const log = readLog(text)
  if (log === undefined) return undefined
  const report = explained(log, 'log.txt')
  for (const shown of [reportText(report, 80), jsonText(report)]) assert.doesNotMatch(shown, /[^\P{Cc}\n]/u)
  const whole = report.measures.find(({ name }) => name === 'whole')?.quantity.value
  const [phases] = report.tables
  if (whole === undefined) {
    for (const { quantities } of report.findings) assert.deepEqual(quantities, {})
    return undefined
  }
  const parts = phases!.rows.map((row) => Math.round((row[1] as Quantity).value * 1e6))
  for (const part of parts) assert.ok(part >= 0, String(part))
  assert.equal(
    parts.reduce((a, b) => a + b, 0),
    Math.round(whole * 1e6),
  )
  for (const { quantities } of report.findings) {
    for (const { value } of Object.values(quantities)) assert.ok(value >= 0 && value <= whole, String(value))
  }
  return whole
}

const aLog = fc.constantFrom(...LOGS)

test('[S3, S13] whatever is cut out of a recording: the phases add up to what is left', () => {
  fc.assert(
    fc.property(aLog, fc.nat(), fc.nat(), fc.nat(), (lines, a, b, letters) => {
      const [from, to] = [a % lines.length, b % (lines.length + 1)].sort((x, y) => x - y)
      const text = lines.slice(from, to).join('\n')
      const cut = text.slice(0, text.length - (letters % 80))
      const whole = hold(cut)
      const stamps = cut.split('\n').flatMap((line) => /^ *(\d+\.\d{3}) (?:ERR|OUT)(?: |$)/.exec(line)?.[1] ?? [])
      const span = Number(stamps.at(-1) ?? 0) - Number(stamps[0] ?? 0)
      if (whole !== undefined) assert.ok(Math.abs(whole - span) < 1e-6, `${whole} of ${span}`)
    }),
    { numRuns: 300 },
  )
})

test('[S3, S13] a recording in any other order, or with any garbage in it, makes up no time', () => {
  const line = fc.oneof(fc.constantFrom(...LOGS.flat()), fc.string({ unit: 'binary', maxLength: 60 }))
  fc.assert(
    fc.property(fc.array(line, { maxLength: 120 }), fc.constantFrom('\n', '\r\n', '\r'), (lines, end) => {
      hold(lines.join(end))
    }),
    { numRuns: 100 },
  )
  fc.assert(
    fc.property(
      aLog.chain((lines) => fc.shuffledSubarray(lines, { minLength: lines.length })),
      (lines) => {
        hold(lines.join('\n'))
      },
    ),
    { numRuns: 100 },
  )
})

test('[S10, S13] what would steer a terminal is shown as its code', () => {
  const hostile = '\u001b[2J\u001b]0;owned\u0007\u009b31m\u202e'
  const lines = LOGS[0]!.map((line) =>
    line.replace(/\[10\.77\.0\.2\]|Next authentication method|ED25519/, `$&${hostile}`),
  )
  hold(lines.join('\n'))
  hold(`debug1: Connecting to a [${hostile}] port 22.\n`)
})

test('[S13] 200,000 lines, and one line of 60 MB, in less than a second', () => {
  const lines = recordings.get('ptr-dropped')!.trimEnd().split('\n')
  const chatter = (stamp: string) =>
    Array.from({ length: 200_000 }, (_, i) => `${stamp} ERR debug2: channel 0: window ${i} sent adjust 32768`)
  // In the middle of the login each line could be a mark.
  const inside = [lines.slice(0, 60), chatter('   0.105'), lines.slice(60)].flat()
  const after = [lines, chatter('  18.863')].flat()
  const long = [...lines, '\u001b[1'.repeat(20e6)]
  for (const text of [inside, after, long].map((all) => all.join('\n'))) {
    // Of this thread alone: others may keep the machine busy.
    const began = process.threadCpuUsage()
    const log = readLog(text)
    assert.ok(log)
    const report = explained(log, 'log.txt')
    const { user, system } = process.threadCpuUsage(began)
    const took = (user + system) / 1000
    assert.equal(report.findings[0]?.code, 'ssh.auth-start')
    assert.ok(took < 1000, `${took} ms`)
  }
})
