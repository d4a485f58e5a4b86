import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare } from '../src/compare.ts'
import { quantityText } from '../src/quantity.ts'
import { readReport } from '../src/read.ts'
import type { Report } from '../src/report.ts'

const whole: Report = {
  schema: 'fettle.report/1',
  tool: 'redis explain',
  subject: 'info.txt',
  at: '2026-02-28T10:00:00Z',
  seconds: 1.5,
  measures: [{ name: 'cpu', title: 'CPU', quantity: { value: 1, unit: 's', low: 0.5, high: 2 }, better: 'less' }],
  tables: [
    {
      name: 'commands',
      title: 'Commands',
      columns: [
        { name: 'command', title: 'COMMAND', flexible: true },
        { name: 'calls', title: 'CALLS' },
      ],
      rows: [
        ['get', { value: 1, unit: '1' }],
        [null, null],
      ],
    },
  ],
  findings: [
    {
      code: 'redis.keys',
      severity: 'fault',
      subject: 'KEYS',
      says: 'blocks',
      cause: 'all keys are looked at',
      confidence: 'likely',
      quantities: { calls: { value: 3, unit: '1' } },
      evidence: [{ source: 'INFO', text: 'cmdstat_keys' }],
      remedy: ['SCAN'],
      undo: 'KEYS',
    },
  ],
  unseen: [{ what: 'MONITOR', why: 'was not given' }],
}

test('a report that was written is read as it was', () => {
  assert.deepEqual(readReport(JSON.stringify(whole)), whole)
  const [none] = [{ ...whole, at: null, seconds: null, measures: [], tables: [], findings: [], unseen: [] }]
  assert.deepEqual(readReport(JSON.stringify(none)), none)
})

test('what JSON has no number for is unknown, not damaged', () => {
  const [measure] = whole.measures
  const quantity = { value: Number.NaN, unit: 's', low: 0, high: Infinity } as const
  const read = readReport(JSON.stringify({ ...whole, measures: [{ ...measure, quantity }] }))
  assert.ok('measures' in read)
  assert.equal(quantityText(read.measures[0]!.quantity), 'unknown (0 s to unknown)')
  const comparison = compare(whole, read)
  assert.ok('changes' in comparison)
  assert.equal(comparison.changes[0]!.verdict, 'unknown')
})

/** Everything that is shown is of the kind that it is shown as. */
const damage: readonly [path: string, value: unknown][] = [
  ['at', '2026-02-30T10:00:00Z'],
  ['at', 'yesterday'],
  ['at', 17],
  ['seconds', '1'],
  ['tool', null],
  ['subject', ['info.txt']],
  ['measures', {}],
  ['measures.0.title', {}],
  ['measures.0.better', 'worse'],
  ['measures.0.quantity.unit', 'm'],
  ['measures.0.quantity.low', 'low'],
  ['tables.0', null],
  ['tables.0.title', 1],
  ['tables.0.columns.0.title', null],
  ['tables.0.rows.0', 'get'],
  ['tables.0.rows.0', ['get']],
  ['tables.0.rows.1.1', { value: 1 }],
  ['tables.0.rows.1.1', 5],
  ['findings.0.severity', 'grave'],
  ['findings.0.confidence', undefined],
  ['findings.0.cause', {}],
  ['findings.0.quantities', null],
  ['findings.0.quantities.calls', 3],
  ['findings.0.evidence.0.text', 1],
  ['findings.0.remedy.0', {}],
  ['findings.0.undo', ['KEYS']],
  ['unseen.0', 'MONITOR'],
  ['unseen.0.why', null],
]

for (const [path, value] of damage) {
  test(`a report whose ${path} is ${JSON.stringify(value)} is damaged`, () => {
    const report: unknown = structuredClone(whole)
    const names = path.split('.')
    const last = names.pop()!
    // biome-ignore lint/suspicious/noExplicitAny: whatever is on the way
    const place = names.reduce((at: any, name) => at[name], report)
    place[last] = value
    const [part] = path.split('.')
    assert.deepEqual(readReport(JSON.stringify(report)), { problem: `is a damaged report: "${part}" is wrong` })
  })
}
