import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zipCat, zipExtract, zipList } from '../src/index.ts'
import { readMeant } from '../src/options.ts'

test('all that is wrong is told at once, each in one line [Z5]', () => {
  const flags = {
    larger: 'much',
    newer: 'soon',
    encoding: 'klingon',
    download: true as const,
    strip: '-1',
    existing: 'keep',
  }
  const given = {
    arguments: ['a.zip'],
    flags: { ...flags, symlinks: 'all', output: '-', json: true as const, directory: 'out' },
  }
  const read = zipExtract.read(given)
  assert.ok(!read.ok)
  for (const word of [
    'larger',
    'newer',
    'encoding',
    'download',
    'strip',
    'existing',
    'symlinks',
    'directory',
    'json',
  ]) {
    assert.equal(read.faults.filter((fault) => fault.includes(`--${word}`)).length, 1, `--${word} in ${read.faults}`)
  }
  for (const fault of read.faults) assert.doesNotMatch(fault, /\n/)
  const list = zipList.read({ arguments: ['a.zip'], flags: { tree: true, json: true, depth: '0' } })
  assert.deepEqual(list.ok ? [] : list.faults.length, 2)
  assert.ok(!zipCat.read({ arguments: ['a.zip'], flags: {} }).ok, 'all of an archive is seldom meant')
})

test('sizes and dates as people write them [Z4]', () => {
  const read = (flags: Record<string, string>) => {
    const meant = readMeant({ arguments: ['https://host.example/a.zip'], flags })
    return meant.ok ? meant.value : undefined
  }
  const sizes = { '500': 500, '20k': 20_000, '1.5G': 1_500_000_000, '10MB': 10_000_000, '1 T': 1_000_000_000_000 }
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(read({ larger: text })?.larger, bytes, text)
  for (const text of ['', '-1', '1e3', '10Q', 'x']) assert.equal(read({ larger: text }), undefined, text)
  assert.equal(read({ newer: '2026-11-01' })?.newerMs, new Date(2026, 10, 1).getTime())
  assert.equal(read({ older: '2026-11-01T14:30' })?.olderMs, new Date(2026, 10, 1, 14, 30).getTime())
  for (const text of ['2026-13-01', '1.11.2026', 'yesterday']) assert.equal(read({ newer: text }), undefined, text)
})

test('standard input can be but one thing [Z5]', () => {
  const read = (flags: Record<string, string>) => readMeant({ arguments: ['https://host.example/a.zip'], flags })
  assert.ok(read({ 'names-from': '-', 'password-from': 'file' }).ok)
  const both = read({ 'names-from': '-', 'password-from': '-' })
  assert.match(both.ok ? '' : both.faults.join('\n'), /^-: only one of/)
})
