import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare } from '../src/compare.ts'
import { type Quantity, quantityText } from '../src/quantity.ts'
import { reportText } from '../src/render.ts'
import type { Finding, Report } from '../src/report.ts'

const finding = (code: Finding['code'], more: Partial<Finding> = {}): Finding => ({
  code,
  severity: 'fault',
  subject: '',
  says: 'Something is wrong.',
  confidence: 'measured',
  quantities: {},
  evidence: [],
  remedy: [],
  ...more,
})

const report = (more: Partial<Report> = {}): Report => ({
  schema: 'fettle.report/1',
  tool: 'redis check',
  subject: 'here',
  at: '2026-11-25T10:00:00.000Z',
  seconds: 15,
  measures: [],
  tables: [],
  findings: [],
  unseen: [],
  ...more,
})

const cpu = (quantity: Quantity) => ({ name: 'cpu', title: 'CPU', quantity, better: 'less' as const })
const sure = (value: number, half: number): Quantity => ({ value, unit: 's', low: value - half, high: value + half })

test('quantities have three digits and the prefix that fits, and what was counted stands in full', () => {
  for (const [value, unit, text] of [
    [1.31246e-5, 's', '13.1 us'],
    [0, 's', '0 s'],
    [0.9996, 's', '1 s'],
    [61, 's', '1 min 01 s'],
    [7260, 's', '2 h 01 min'],
    [-61, 's', '-1 min 01 s'],
    [864_000, 's', '10 days'],
    [8_372_810_113_180, 'B', '8.37 TB'],
    [999.6, 'B', '1 kB'],
    [23_686, '/s', '23.7 k/s'],
    [0.312, 'share', '31.2 %'],
    [287_772_910_835, '1', '287,772,910,835'],
    [8.3295, '1', '8.33'],
    [Number.NaN, 's', 'unknown'],
  ] as const) {
    assert.equal(quantityText({ value, unit }), text)
  }
  assert.equal(quantityText(sure(0.0131, 0.0004)), '13.1 ms (12.7 to 13.5)')
})

test('a report fits the terminal, steers none, and says at its end whether there is anything to do', () => {
  const evil = 'key\u001b[2J\u202e'
  const findings = [
    finding('redis.x', {
      subject: evil,
      says: 'was slow again and again, which is a sentence that is longer than a narrow terminal has columns.',
      cause: `Because of ${evil}.`,
      evidence: [{ source: 'SLOWLOG GET', text: evil }],
      remedy: [`do not ${evil}`],
      undo: evil,
    }),
    finding('redis.y', { severity: 'note' }),
  ]
  const columns = [
    { name: 'key', title: 'KEY', flexible: true as const },
    { name: 'n', title: 'N' },
  ]
  const tables = [
    {
      name: 't',
      title: 'Keys',
      columns,
      rows: [
        [evil.repeat(9), sure(1, 0.1)],
        ['b', null],
      ],
    },
  ]
  const text = reportText(report({ findings, tables, unseen: [{ what: evil, why: 'no right' }] }), 60)
  for (const letter of ['\u001b', '\u202e']) assert.ok(!text.includes(letter))
  for (const line of text.split('\n')) assert.ok(line.length <= 60, line)
  assert.match(text, /\n\n1 fault\.\n$/)
  assert.match(reportText(report(), 60), /\n\nNo faults or warnings\.\n$/)
})

test('two reports: what changed more than noise, in which direction, and which findings are gone', () => {
  const verdict = (before: Quantity, after: Quantity) => {
    const found = compare(report({ measures: [cpu(before)] }), report({ measures: [cpu(after)] }))
    assert.ok('changes' in found)
    return found.changes[0]!
  }
  assert.equal(verdict(sure(10, 1), sure(5, 1)).verdict, 'better')
  assert.equal(verdict(sure(5, 1), sure(10, 1)).verdict, 'worse')
  // The intervals overlap, and yet the difference is more than its error.
  assert.equal(verdict(sure(10, 1), sure(8.5, 1)).verdict, 'better')
  assert.equal(verdict(sure(10, 1), sure(9, 1)).verdict, 'noise')
  // What counts is the end that lies against the other one.
  const skewed: Quantity = { value: 10, unit: 's', low: 9.5, high: 20 }
  assert.equal(verdict(skewed, sure(8, 1)).verdict, 'better')
  assert.equal(verdict(skewed, sure(12, 1)).verdict, 'noise')
  assert.equal(verdict({ value: 10, unit: 's' }, { value: 5, unit: 's' }).verdict, 'unknown')
  assert.equal(verdict({ ...skewed, high: Infinity }, sure(8, 1)).verdict, 'unknown')
  assert.equal(verdict(sure(5, 1), sure(5, 2)).verdict, 'same')
  const { change } = verdict(sure(10, 1), sure(5, 0.5))
  assert.equal(change!.value, -0.5)
  assert.ok(change!.low! > -0.58 && change!.low! < -0.55 && change!.high! > -0.44 && change!.high! < -0.41)
  assert.deepEqual(verdict(sure(10, 1), sure(5, 5)).change, { value: -0.5, unit: 'share' })
  assert.equal(verdict({ value: 0, unit: 's' }, sure(5, 1)).change, null)

  const [a, b, c] = [finding('redis.a'), finding('redis.b'), finding('redis.c', { subject: 'x' })]
  const found = compare(report({ findings: [a, b] }), report({ findings: [b, c] }))
  assert.ok('gone' in found)
  assert.deepEqual([found.gone, found.stayed, found.come], [[a], [b], [c]])
})

test('reports of different things are not compared', () => {
  assert.deepEqual(compare(report(), report({ subject: 'there' })), { problem: 'one is of here, the other of there' })
  assert.deepEqual(compare(report(), report({ tool: 'ssh check' })), {
    problem: 'one is of redis check, the other of ssh check',
  })
})
