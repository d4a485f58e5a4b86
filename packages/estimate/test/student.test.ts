import assert from 'node:assert/strict'
import { test } from 'node:test'
import { studentQuantile } from '../src/student.ts'

const near = (found: number, expected: number) => assert.ok(Math.abs(found / expected - 1) < 1e-9, `${found}`)

test('[E1] Student’s t is as in the tables: Abramowitz and Stegun 26.10, and closed forms', () => {
  for (const [freedom, expected] of [
    [5, 2.571],
    [10, 2.228],
    [30, 2.042],
    [120, 1.98],
    [1e6, 1.96],
  ] as const) {
    assert.equal(Number(studentQuantile(freedom, 0.95).toFixed(3)), expected)
  }
  for (const confidence of [0.001, 0.5, 0.9, 0.95, 0.999, 0.99999]) {
    near(studentQuantile(1, confidence), Math.tan((Math.PI / 2) * confidence))
    near(studentQuantile(2, confidence), confidence * Math.sqrt(2 / (1 - confidence * confidence)))
  }
  // Not only whole degrees of freedom; reckoned with scipy 1.17.
  near(studentQuantile(2.5, 0.95), 3.5746548420036817)
})
