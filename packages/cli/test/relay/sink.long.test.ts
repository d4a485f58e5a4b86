import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Run, start } from '../terminal.ts'

const folder = mkdtempSync(join(tmpdir(), 'fettle-sink-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'fettle.yaml')

function fettle(text: string, words: readonly string[], more: Record<string, string> = {}): Promise<Run> {
  writeFileSync(file, text)
  return start(['relay', ...words, '--config', file, '--data', join(folder, 'data')], { HOME: folder, ...more }).ended
}

const SINK = 'relay:\n  sink:\n    table: calls\n    columns: { id: uid, who: device }\n'

test('a sink that is not configured, or not said where to: status 2, one line', async () => {
  const none = await fettle('', ['sink', 'check'])
  assert.deepEqual([none.status, none.out], [2, ''])
  assert.match(none.err, /^fettle: the settings file has no relay\.sink; give --sink URL.*\n$/)
  for (const words of [['sink', 'check'], ['serve']]) {
    const nowhere = await fettle(SINK, words)
    assert.equal(nowhere.status, 2)
    assert.match(nowhere.err, /^fettle: .*it is not said where to.*\n$/)
  }
  const bare = await fettle('', ['serve', '--sink', 'mysql://u@h/d'])
  assert.equal(bare.status, 2)
  assert.deepEqual(bare.err.trimEnd().split('\n'), [
    `fettle: ${file}: relay.sink.table: is missing; give the name of the table`,
    `fettle: ${file}: relay.sink.columns: is missing; give COLUMN: FIELD for each column to write`,
  ])
})

test('other commands read the same file without knowing where to', async () => {
  const { status, err } = await fettle(SINK, ['sessions'])
  assert.equal(status, 3)
  assert.match(err, /no meter has kept records here/)
})

test('a password is not taken from the command line, and never shown', async () => {
  const { status, err } = await fettle(SINK, ['sink', 'check', '--sink', 'mysql://u:geheim@h/d'])
  assert.equal(status, 2)
  assert.equal(
    err,
    'fettle: --sink (not shown): holds a password, which others could read there; give it as FETTLE_SINK or in the file\n',
  )
  const broken = await fettle(SINK, ['sink', 'check'], { FETTLE_SINK: 'mysql://u:geheim@' })
  assert.match(broken.err, /^fettle: environment FETTLE_SINK \(not shown\): is no mysql:/)
  assert.doesNotMatch(broken.err, /geheim/)
})

test('a mapping with faults: a line for each', async () => {
  const text =
    'relay:\n  sink:\n    table: calls\n    columns: { id: uuid, who: { fild: device } }\n    corrections: never\n'
  const { status, err } = await fettle(text, ['sink', 'check'])
  assert.equal(status, 2)
  assert.match(err, /relay\.sink\.columns\.who: is neither a field, nor/)
  assert.match(err, /relay\.sink\.corrections: /)
})

test('a database that cannot be reached, or says nothing: status 3, one line', async (t) => {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const silent = await fettle(SINK, ['sink', 'check', '--sink', `mysql://u@127.0.0.1:${port}/d`])
  assert.deepEqual([silent.status, silent.out], [3, ''])
  assert.equal(silent.err, `fettle: u@127.0.0.1:${port}/d: no answer within 5 s\n`)
  const away = await fettle(SINK, ['sink', 'check', '--sink', 'mysql://u@127.0.0.1:1/d'])
  assert.equal(away.status, 3)
  assert.match(away.err, /^fettle: u@127\.0\.0\.1:1\/d: .*ECONNREFUSED.*\n$/)
})
