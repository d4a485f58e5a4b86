import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csvField, csvLine } from '../src/csv.ts'

test('a name cannot become a formula or a further field', () => {
  for (const name of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1', '＋1', '－1', '＠A1'])
    assert.match(csvField(name), /^"?'/)
  assert.equal(csvField('a,"b"\nc'), '"a,""b""\nc"')
  assert.equal(csvLine(['x', null, -5, true]), 'x,,-5,true\r\n')
})
