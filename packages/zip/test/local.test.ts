import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataStart, disagreement } from '../src/core/local.ts'
import { directoryOf, type Fields, header } from './records.ts'

const DESCRIPTOR = 8
const entry: Fields = { name: 'a.txt', method: 8, crc: 5, compressed: 70, size: 100 }
const said = (local: Partial<Fields>, central: Partial<Fields> = {}) =>
  disagreement(header({ ...entry, ...local }), 0, directoryOf([{ ...entry, ...central }]).columns, 0)

test('what a header says otherwise than the directory is told, and what it may leave open is not [Z18]', () => {
  assert.equal(said({}), undefined)
  assert.equal(said({ name: 'b.txt' }), 'another name')
  assert.equal(said({ name: 'a.txt2' }), 'another name')
  assert.equal(said({ method: 0 }), 'another method')
  assert.equal(said({ flags: 1 }), 'that it is encrypted, or is not')
  assert.equal(said({ size: 10 }), 'another size')
  assert.equal(said({ compressed: 10 }), 'another size')
  assert.equal(said({ crc: 6 }), 'another CRC')
  // Sizes and CRC follow the data, or stand in a field of Zip64.
  assert.equal(said({ flags: DESCRIPTOR, size: 0, compressed: 0, crc: 0 }, { flags: DESCRIPTOR }), undefined)
  assert.equal(said({ size: 0xffffffff, compressed: 0xffffffff }), undefined)
  assert.equal(said({ time: 1 }), undefined)
})

test('data begin behind the name and the fields of their own header [Z18]', () => {
  const bytes = Buffer.concat([Buffer.alloc(3), header({ ...entry, extra: new Uint8Array(9) })])
  assert.equal(dataStart(bytes, 3), 3 + 30 + 5 + 9)
  for (const at of [-1, 0, 4, bytes.length - 29, bytes.length]) assert.equal(dataStart(bytes, at), undefined)
})
