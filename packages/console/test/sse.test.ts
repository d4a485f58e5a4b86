import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createReader, type ServerEvent } from '../src/live/sse.ts'

function read(...pieces: string[]): ServerEvent[] {
  const reader = createReader()
  return pieces.flatMap((piece) => reader(piece))
}

test('an event has its name, its data and the last id; comments and unknown fields are nothing', () => {
  assert.deepEqual(read(': hello\n\nid: 7\nevent: snapshot\ndata: {"a":1}\nretry: 5\n\ndata:x\ndata: y\n\n'), [
    { event: 'snapshot', data: '{"a":1}', id: '7' },
    { event: 'message', data: 'x\ny', id: '7' },
  ])
})

test('an id alone counts for the next event, and one with a zero byte does not', () => {
  assert.deepEqual(read('id: 7\n\nid: 8\0\ndata: a\n\n'), [{ event: 'message', data: 'a', id: '7' }])
})

test('an event that was not ended is not given', () => {
  assert.deepEqual(read('data: a\n'), [])
  assert.deepEqual(read('data: a'), [])
})

test('it does not matter where the text is cut, and how its lines end', () => {
  const text = (end: string) =>
    ['id: 1', 'event: change', 'data: {"é":"日本"}', '', ':', '', 'data', 'data: :b', '', ''].join(end)
  const whole = [
    { event: 'change', data: '{"é":"日本"}', id: '1' },
    { event: 'message', data: '\n:b', id: '1' },
  ]
  fc.assert(
    fc.property(fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat(80), { maxLength: 12 }), (end, cuts) => {
      const all = text(end)
      const places = [0, ...cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b), all.length]
      const pieces = places.slice(1).map((to, i) => all.slice(places[i], to))
      assert.deepEqual(read(...pieces), whole)
    }),
  )
})

test('an event without end is refused instead of kept', () => {
  const reader = createReader()
  const megabyte = 'x'.repeat(1_000_000)
  assert.throws(() => {
    for (let i = 0; i < 20; i++) reader(`data: ${megabyte}\n`)
  }, /does not end/)
})
