/** What a log says of an allocation that was given up already. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { SessionRecord } from '../src/core/record.ts'
import { DEFAULT_TEMPLATE, readTemplate, type Template } from '../src/core/session.ts'
import { replay } from '../src/replay.ts'

const template = readTemplate(DEFAULT_TEMPLATE) as Template
const line = (t: string, text: string) =>
  `2026-11-22T09:${t}+0000: session 000000000000000001: ${text.replace('?', 'realm=<r>, username=<1:ann>')}`

async function sessionOf(...lines: string[]): Promise<SessionRecord> {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-late-'))
  const file = join(folder, 'log.txt')
  writeFileSync(file, lines.join('\n'))
  try {
    return (await replay([file], template, 30_000)).sessions[0]!
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('[R15, R23] that a log says `delete` after the end makes the record exact, and a final one is revised by that', async () => {
  const session = await sessionOf(line('00:00', 'new, ?, lifetime=600'), line('20:00', 'delete: ?'))
  const { end, quality, state, revision, endedAt } = session
  assert.deepEqual([end, quality, state, revision], ['expired', 'exact', 'final', 1])
  assert.equal(endedAt, '2026-11-22T09:10:00.000Z')
})

test('[R15] what a log tells late changes the counters and the quality, and not what the session was', async () => {
  const usage = line('20:00', 'usage: ?, rp=1024, rb=100000, sp=1024, sb=1000')
  const session = await sessionOf(line('00:00', 'new, ?, lifetime=600'), usage, line('20:00', 'delete: ?'))
  const { quality, client, revision } = session
  assert.deepEqual([session.class, quality, client.receivedBytes, revision], ['unused', 'exact', 100000, 2])
})
