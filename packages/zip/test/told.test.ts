import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tally, told } from '../src/core/told.ts'

test('all is counted and five are named, of all threads together, notes last [Z10]', () => {
  const [one, other] = [new Tally(), new Tally()]
  one.add('windows-name', 'aux')
  for (let i = 0; i < 4; i++) one.add('crc', `a${i}`, 'x')
  for (let i = 0; i < 1200; i++) other.add('crc', `b${i}`)
  one.take(other.state)
  const [crc, name, ...rest] = one.findings('x.zip')
  assert.deepEqual(rest, [])
  assert.deepEqual(
    [crc!.code, crc!.severity, name!.code, name!.severity],
    ['zip.crc', 'warning', 'zip.windows-name', 'note'],
  )
  assert.match(crc!.says, /^1,204 entries have /)
  assert.match(name!.says, /^1 name /)
  assert.deepEqual(
    crc!.evidence.map(({ source }) => source),
    ['a0', 'a1', 'a2', 'a3', 'b0'],
  )
})

test('everything that can be told is a sentence of one and of many, and steers nothing [Z28]', () => {
  const tally = new Tally()
  for (const what of told) tally.add(what, '\u001b[2J')
  for (const what of told.slice(0, 5)) tally.add(what, 'x')
  const findings = tally.findings('x.zip')
  assert.equal(findings.length, told.length)
  for (const { says, cause, remedy } of findings) {
    assert.match(says, /^[12] [a-z]/)
    for (const sentence of [cause, ...remedy])
      assert.ok(sentence === undefined || /^[A-Z0-9-]/.test(sentence), sentence)
  }
})
