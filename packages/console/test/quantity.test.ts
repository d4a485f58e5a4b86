import assert from 'node:assert/strict'
import { test } from 'node:test'
import { amount, interval } from '../src/text/quantity.ts'

test('a number of a report has three digits and the prefix that fits; what was counted stands in full', () => {
  for (const [value, unit, text] of [
    [1.31246e-5, 's', '13.1 us'],
    [0, 's', '0 s'],
    [0.9996, 's', '1 s'],
    [-61, 's', '-1 min 01 s'],
    [172_799.4, 's', '47 h 59 min'],
    [172_799.6, 's', '2 days'],
    [8_372_810_113_180, 'B', '8.37 TB'],
    [8.37e15, 'B', '8370 TB'],
    [999.6, 'B/s', '1 kB/s'],
    [0.312, 'share', '31.2 %'],
    [5.2e-6, 'share', '5.2e-4 %'],
    [287_772_910_835, '1', '287,772,910,835'],
    [-8.3295, '1', '-8.33'],
    [null, 's', 'unknown'],
  ] as const) {
    assert.equal(amount(value, unit), text)
  }
})

test('an interval has its unit where that is another, and is left out where it says nothing', () => {
  for (const [value, low, high, text] of [
    [0.0131, 0.0127, 0.0135, '12.7 to 13.5'],
    [0.0131, 0.0009, 0.0135, '900 us to 13.5 ms'],
    [1, 1, 1.0001, undefined],
    [1, 0.5, undefined, undefined],
  ] as const) {
    assert.equal(interval({ value, unit: 's', low, ...(high === undefined ? {} : { high }) }), text)
  }
  assert.equal(interval({ value: 8, unit: '1', low: 7, high: 9.5 }), '7 to 9.5')
})
