import assert from 'node:assert/strict'
import { test } from 'node:test'
import { duration, jsonText, printable, size, table } from '../src/text.ts'

test('a name cannot steer the terminal', () => {
  assert.equal(printable('ann\u001b[2J\u0007'), 'ann\\u001b[2J\\u0007')
  assert.equal(printable('a\u202eb\u2066c\u2028d\u009be'), 'a\\u202eb\\u2066c\\u2028d\\u009be')
  assert.equal(printable('zoë 👍 “x”'), 'zoë 👍 “x”')
})

test('what hides in a name is shown, in JSON as in lines', () => {
  const hiding = 'a\u200bb\u00adc\ufeffd\u3164e\u{e0041}f\ud800g\u2800h'
  assert.equal(printable(hiding), 'a\\u200bb\\u00adc\\ufeffd\\u3164e\\udb40\\udc41f\\ud800g\\u2800h')
  assert.deepEqual(JSON.parse(jsonText({ hiding })), { hiding })
  assert.doesNotMatch(jsonText({ hiding }), /[\u200b\u00ad]/)
  const joined = 'नी\u200dल 👩\u200d🔧 ❤\ufe0f'
  assert.equal(printable(joined), joined)
})

test('sizes are decimal, as bills count', () => {
  const expected: [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [114_451, '114 kB'],
    [999_600, '1.00 MB'],
    [5_862_284, '5.86 MB'],
    [6e15, '6.00 PB'],
    [9e18, '9.00e+3 PB'],
  ]
  for (const [bytes, text] of expected) assert.equal(size(bytes), text)
})

test('durations carry over', () => {
  assert.equal(duration(0.88), '0.9 s')
  assert.equal(duration(59.94), '59.9 s')
  assert.equal(duration(59.96), '1 min 00 s')
  assert.equal(duration(245), '4 min 05 s')
  assert.equal(duration(3599.6), '1 h 00 min')
  assert.equal(duration(7384), '2 h 03 min')
})

test('a table is cut to the terminal where it may give way', () => {
  const columns = [{ title: 'a' }, { title: 'name', flexible: true }, { title: 'n', right: true }]
  const rows = [['1', 'a very long device name', '22']]
  assert.equal(table(columns, rows, 80), 'a  name                      n\n1  a very long device name  22\n')
  assert.equal(table(columns, rows, 20), 'a  name            n\n1  a very long …  22\n')
  for (const line of table(columns, rows, 20).split('\n')) assert(Array.from(line).length <= 20)
})

test('a table holds its columns whatever letters a name is of', () => {
  const columns = [
    { title: 'name', flexible: true },
    { title: 'n', right: true },
  ]
  const names = ['张伟'.repeat(9), '한국어', 'ｆｕｌｌ', 'e\u0301'.repeat(20), '👍👍', 'a']
  const lines = table(
    columns,
    names.map((name) => [name, '1']),
    13,
  ).split('\n')
  assert.deepEqual(lines, [
    'name        n',
    '张伟张伟…   1',
    '한국어      1',
    'ｆｕｌｌ    1',
    `${'e\u0301'.repeat(9)}…  1`,
    '👍👍        1',
    'a           1',
    '',
  ])
})
