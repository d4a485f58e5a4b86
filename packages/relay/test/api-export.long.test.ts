import assert from 'node:assert/strict'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { csvHeader } from '../src/csv.ts'
import { get, Rig, TOKEN } from './api-rig.ts'

const csv = { Authorization: `Bearer ${TOKEN}`, Accept: 'text/csv' }

async function rowsOf(response: Response): Promise<string[]> {
  const lines = (await response.text()).split('\r\n')
  assert.equal(lines[0], csvHeader.join())
  assert.equal(lines.pop(), '')
  return lines.slice(1)
}

test('CSV holds every session that matches, and spreadsheets run nothing of it', async (context) => {
  const rig = new Rig(context)
  const names = ['=1+1', '+1', '-1', '@SUM(A1)', 'plain', 'with, "quotes"', 'line\nbreak', 'ünï']
  for (const name of names) rig.call(`1:${name}`, 1)
  rig.commit()
  const api = rig.api()
  const text = await (await api.fetch(get('/v1/sessions', csv))).text()
  for (const shown of ["'=1+1", "'+1", "'-1", "'@SUM(A1)", 'plain', '"with, ""quotes"""', '"line\nbreak"', 'ünï']) {
    assert.ok(text.includes(`,example.org,${shown},`), shown)
  }
  assert.equal((await rowsOf(await api.fetch(get('/v1/sessions?device=plain', csv)))).length, 1)
  assert.equal((await rowsOf(await api.fetch(get('/v1/sessions?device=nobody', csv)))).length, 0)
})

test('who prefers CSV gets it, everybody else JSON', async (context) => {
  const api = new Rig(context).api()
  const type = async (accept: string) => {
    const { headers } = await api.fetch(get('/v1/sessions', { ...csv, Accept: accept }))
    return headers.get('content-type')?.split(';')[0]
  }
  assert.equal(await type('text/csv'), 'text/csv')
  assert.equal(await type('text/csv, application/json;q=0.5'), 'text/csv')
  assert.equal(await type('application/json, text/csv;q=0.5'), 'application/json')
  assert.equal(await type('*/*'), 'application/json')
  assert.equal(await type('text/html'), 'application/json')
})

/** Many sessions by plain SQL: the fold would take longer than the test. */
function fill(rig: Rig, count: number): void {
  const { db } = rig.ledger
  db.exec('BEGIN')
  const session = db.prepare('INSERT INTO session VALUES (?, ?, 0, 0, ?, ?, 0)')
  const allocation = db.prepare(
    `INSERT INTO allocation (id, stream_id, boot, path, realm, username, coturn_id, device, session_id, opened_at,
     heard_at, closed_at, ended, flags, quality, unheard_packets, unheard_bytes, refreshes, lifetime)
     VALUES (?, 1, 1, x'', 'r', 'u', '000000000000000001', 'd', ?, ?, ?, ?, 1, 2058, 'exact', 0, 0, 0, 600)`,
  )
  const usage = db.prepare('INSERT INTO usage VALUES (?, ?, 0, 0, 1, 100, 1, 100)')
  for (let id = 1; id <= count; id++) {
    const at = rig.now + id * 1000
    session.run(id, `k${id}`, at, at)
    allocation.run(id, id, at, at, at)
    usage.run(id, Math.floor(at / 300_000) * 300)
  }
  db.exec('COMMIT')
}

test('an export that is read slowly neither holds the log back nor misses or doubles a session', async (context) => {
  const rig = new Rig(context)
  fill(rig, 20_000)
  const { db } = rig.ledger
  db.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA wal_checkpoint(TRUNCATE)')
  const reader = (await rig.api().fetch(get('/v1/sessions', csv))).body!.getReader()
  const decoder = new TextDecoder()
  const logOf = () => statSync(`${rig.file}-wal`).size
  let text = ''
  let largest = 0
  let checkpoints = 0
  for (let i = 0; ; i++) {
    const { done, value } = await reader.read()
    if (done) break
    text += decoder.decode(value, { stream: true })
    // The meter goes on between two pages: many commits, and the log is written back and begun anew.
    db.exec('BEGIN')
    for (let k = 0; k < 200; k++)
      db.prepare(`UPDATE session SET revision = ? WHERE id = ?`).run(i, 1 + ((i * 200 + k) % 20_000))
    db.exec('COMMIT')
    const { busy, log, checkpointed } = db.prepare('PRAGMA wal_checkpoint(RESTART)').get() as Record<string, number>
    assert.deepEqual([busy, checkpointed], [0, log])
    checkpoints++
    largest = Math.max(largest, logOf())
  }
  assert.ok(checkpoints > 90)
  // The log of one commit, not of a hundred.
  assert.ok(largest < 1_000_000, String(largest))
  const ids = text
    .split('\r\n')
    .slice(1, -1)
    .map((line) => Number(line.slice(0, line.indexOf(','))))
  assert.deepEqual(
    ids,
    Array.from({ length: 20_000 }, (_, i) => 20_000 - i),
  )
})

/** Commits in a thread of its own until it is told to end; then says how many bytes of the log that took. */
const writer = `
  const { DatabaseSync } = require('node:sqlite')
  const { parentPort, workerData } = require('node:worker_threads')
  const db = new DatabaseSync(workerData)
  db.exec('PRAGMA busy_timeout = 5000; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 100')
  const update = db.prepare('UPDATE session SET revision = revision + 1 WHERE id = ?')
  let commits = 0
  const timer = setInterval(() => {
    db.exec('BEGIN IMMEDIATE')
    for (let k = 0; k < 20; k++) update.run(1 + ((commits * 20 + k) * 7919) % 20000)
    db.exec('COMMIT')
    commits++
  }, 10)
  parentPort.once('message', () => {
    clearInterval(timer)
    parentPort.postMessage(commits * 20 * 8192)
    db.close()
  })
`

test('an export at full speed leaves the meter pauses in which the log begins anew', async (context) => {
  const rig = new Rig(context)
  fill(rig, 20_000)
  rig.ledger.db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const worker = new Worker(writer, { eval: true, workerData: rig.file })
  context.after(() => worker.terminate())
  const rows = await rowsOf(await rig.api().fetch(get('/v1/sessions', csv)))
  assert.equal(rows.length, 20_000)
  worker.postMessage('end')
  const [written] = await once(worker, 'message')
  const log = statSync(`${rig.file}-wal`).size
  // Without pauses nothing of the log could be used again, and it would hold all that was written.
  assert.ok(written > 5_000_000 && log < written / 2, `log of ${log} B after writing ${written} B`)
})

test('others have their turn while an export is written', async (context) => {
  const rig = new Rig(context)
  fill(rig, 6000)
  let turns = 0
  const beat = setInterval(() => turns++, 1)
  context.after(() => clearInterval(beat))
  const rows = await rowsOf(await rig.api().fetch(get('/v1/sessions', csv)))
  assert.equal(rows.length, 6000)
  assert.ok(turns >= 15, String(turns))
})

test('an export that fails is cut off, and does not seem whole', async (context) => {
  const rig = new Rig(context)
  fill(rig, 2000)
  const address = await rig.serve(context)
  const response = await fetch(`${address}/v1/sessions`, { headers: csv })
  const reader = response.body!.getReader()
  await reader.read()
  rig.ledger.db.exec('DROP TABLE usage')
  await assert.rejects(async () => {
    for (let done = false; !done; ) done = (await reader.read()).done
  })
  assert.match(rig.errors[0]!.message, /no such table: usage/)
})

test('an export that nobody waits for any more ends without a word', async (context) => {
  const rig = new Rig(context)
  fill(rig, 5000)
  const stop = new AbortController()
  const response = await fetch(`${await rig.serve(context)}/v1/sessions`, { headers: csv, signal: stop.signal })
  await response.body!.getReader().read()
  stop.abort()
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.deepEqual(rig.errors, [])
})
