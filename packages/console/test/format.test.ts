import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ago,
  axisRate,
  axisSize,
  bitRate,
  clockDuration,
  duration,
  localTime,
  plural,
  shortTime,
  size,
  utcTime,
  whole,
} from '../src/text/format.ts'
import { printable } from '../src/text/printable.ts'

process.env.TZ = 'Asia/Kolkata'

test('bytes are said in decimal units, with three digits', () => {
  assert.deepEqual([0, 999, 1000, 3_030_000, 999_499, 999_500, 12_345_678_901].map(size), [
    '0 B',
    '999 B',
    '1.00 kB',
    '3.03 MB',
    '999 kB',
    '1.00 MB',
    '12.3 GB',
  ])
})

test('rates are said in bits per second, with two digits where there is one before the point', () => {
  assert.deepEqual([0, 850.4, 1000, 1_234_567, 9_949_999, 9_950_000, 120_000_000, 2.5e9].map(bitRate), [
    '0 bit/s',
    '850 bit/s',
    '1.0 kbit/s',
    '1.2 Mbit/s',
    '9.9 Mbit/s',
    '10 Mbit/s',
    '120 Mbit/s',
    '2.5 Gbit/s',
  ])
})

test('an axis says no more digits than its number has', () => {
  assert.deepEqual([0, 500_000, 2_500_000, 40_000_000].map(axisRate), [
    '0 bit/s',
    '500 kbit/s',
    '2.5 Mbit/s',
    '40 Mbit/s',
  ])
  assert.deepEqual([0, 50_000_000].map(axisSize), ['0 B', '50 MB'])
})

test('durations run like a clock, and never below nothing', () => {
  assert.deepEqual([-3, 0, 9.9, 60, 725, 3723, 86_400 * 3 + 14_706].map(clockDuration), [
    '0:00',
    '0:00',
    '0:09',
    '1:00',
    '12:05',
    '1:02:03',
    '3 d 04:05:06',
  ])
  assert.deepEqual([8.8, 59.94, 59.95, 245, 7380].map(duration), [
    '8.8 s',
    '59.9 s',
    '1 min 00 s',
    '4 min 05 s',
    '2 h 03 min',
  ])
  assert.deepEqual([-1, 1.4, 12, 99.4, 300, 7200, 172_800].map(ago), [
    'now',
    'now',
    '12 s ago',
    '99 s ago',
    '5 min ago',
    '2 h ago',
    '2 d ago',
  ])
})

test('times are those of the viewer, with the day or the year where they are not of today', () => {
  const noon = Date.parse('2026-11-22T06:30:05Z')
  assert.equal(localTime(noon), '2026-11-22 12:00:05')
  assert.equal(utcTime(noon), '2026-11-22 06:30:05 UTC')
  assert.equal(shortTime(noon, noon + 3_600_000), '12:00:05')
  // 18:30 UTC is midnight there.
  assert.equal(shortTime(noon, Date.parse('2026-11-22T18:29:59Z')), '12:00:05')
  assert.equal(shortTime(noon, Date.parse('2026-11-22T18:30:00Z')), '11-22 12:00')
  assert.equal(shortTime(noon, Date.parse('2027-01-01T00:00:00Z')), '2026-11-22')
})

test('counts are grouped, and one is no plural', () => {
  assert.equal(whole(1_234_567), '1,234,567')
  assert.deepEqual(
    [0, 1, 4095].map((count) => plural(count, 'packet')),
    ['0 packets', '1 packet', '4,095 packets'],
  )
})

test('what hides or turns text around is shown as its code; all other letters stay', () => {
  assert.equal(printable('a\u202eb\u0000\n\u200bc\u2066\ufeff'), 'a\\u202eb\\u0000\\u000a\\u200bc\\u2066\\ufeff')
  assert.equal(printable('a\u3164b\u{e0061}\ud800'), 'a\\u3164b\\u{e0061}\\ud800')
  assert.equal(printable('Zoë 日本 👩‍👩‍👧 <img> %41'), 'Zoë 日本 👩‍👩‍👧 <img> %41')
})
