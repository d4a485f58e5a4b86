/** Bytes cut into lines: however they come, and going on from what was remembered. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Lines } from '../src/ingest/lines.ts'

const LONG = 64 * 1024

/** Lines with whether they are whole. `anew`: what was remembered is taken over by another one after each piece. */
function linesOf(pieces: readonly Buffer[], anew: boolean): string[] {
  const found: string[] = []
  const make = (memory?: Lines['memory']) =>
    new Lines((bytes, start, end, isWhole) => {
      found.push(`${isWhole} ${bytes.toString('latin1', start, end)}`)
    }, memory)
  let lines = make()
  for (const piece of pieces) {
    lines.feed(piece)
    if (anew) lines = make(JSON.parse(JSON.stringify(lines.memory)))
  }
  lines.end()
  return found
}

const part = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'bc\n', '\n', '\r\n', '\xff', 'line\r\n') },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 70 }).map((count) => '\0'.repeat(count)) },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(LONG - 1), 'y'.repeat(2 * LONG)) },
)

test('[R27] lines are the same in whatever pieces they come, and after each restart', () => {
  const property = fc.property(
    fc.array(part, { maxLength: 12 }),
    fc.array(fc.nat(), { maxLength: 6 }),
    (parts, cuts) => {
      const all = Buffer.from(parts.join(''), 'latin1')
      const at = [0, ...cuts.map((cut) => cut % (all.length + 1)).sort((a, b) => a - b), all.length]
      const pieces = at.slice(1).map((end, i) => all.subarray(at[i], end))
      const whole = linesOf([all], false)
      assert.deepEqual(linesOf(pieces, false), whole)
      assert.deepEqual(linesOf(pieces, true), whole)
    },
  )
  fc.assert(property, { numRuns: 300 })
})

test('[R40] NUL bytes among letters take no longer than letters', () => {
  const lines = new Lines(() => {})
  const began = performance.now()
  lines.feed(Buffer.from('a\0'.repeat(500_000)))
  assert.ok(performance.now() - began < 5000)
})
