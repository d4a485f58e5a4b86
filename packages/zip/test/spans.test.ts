import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { byOffset, reach, spansOf } from '../src/core/spans.ts'
import { directoryOf } from './records.ts'

const paces = fc.record({
  waste: fc.constantFrom(0, 0.1, 0.25, 1),
  gap: fc.constantFrom(0, 100, 5000),
  piece: fc.constantFrom(500, 20_000),
  parallel: fc.constant(1),
})
const lengths = fc.record({ before: fc.oneof(fc.nat(4000), fc.constantFrom(0, 100, 1000)), compressed: fc.nat(3000) })

test('each entry is inside of exactly one piece, and what is read in vain stays within its share [Z22]', () => {
  fc.assert(
    fc.property(fc.array(lengths, { maxLength: 60 }), paces, fc.infiniteStream(fc.nat()), (all, pace, chance) => {
      let at = 0
      const entries = all.map(({ before, compressed }) => {
        const offset = at + before
        at = offset + 30 + 1 + compressed
        return { name: 'x', offset, compressed }
      })
      const stop = at
      const { columns } = directoryOf(entries)
      const shuffled = entries.map((_, i) => [i, chance.next().value as number] as const).sort((a, b) => a[1] - b[1])
      const order = byOffset(
        columns,
        Uint32Array.from(shuffled, ([i]) => i),
      )
      const spans = spansOf(columns, order, stop, pace)
      assert.deepEqual([spans.first[0], spans.first[spans.count]], [0, order.length])
      let vain = 0
      for (let span = 0; span < spans.count; span++) {
        const inside = Array.from(order.subarray(spans.first[span], spans.first[span + 1]))
        assert.ok(inside.length > 0)
        const [start, end] = [spans.start[span]!, spans.end[span]!]
        for (const entry of inside) {
          assert.ok(start <= columns.offset[entry]! && reach(columns, entry) <= end)
        }
        assert.ok(end <= stop)
        assert.ok(inside.length === 1 || end - start <= pace.piece)
        for (const [i, entry] of inside.slice(1).entries()) {
          vain += Math.max(0, columns.offset[entry]! - reach(columns, inside[i]!) - 32)
        }
      }
      const wanted = entries.reduce((sum, { compressed }) => sum + compressed, 0)
      assert.ok(vain <= wanted * pace.waste, `${vain} of ${wanted}`)
    }),
    { numRuns: 400 },
  )
})

test('gaps that are all alike are not all read because one may be [Z22]', () => {
  const entries = Array.from({ length: 2000 }, (_, i) => ({ name: 'x', offset: i * 51_000, compressed: 1000 }))
  const { columns } = directoryOf(entries)
  const order = byOffset(columns, Uint32Array.from(entries.keys()))
  const spans = spansOf(columns, order, 2000 * 51_000, { waste: 0.1, gap: 65_536, piece: 4 << 20, parallel: 6 })
  const read = spans.end.subarray(0, spans.count).reduce((sum, end, i) => sum + end - spans.start[i]!, 0)
  assert.ok(read < 1.2 * 2000 * 1100, `${read} bytes`)
})
