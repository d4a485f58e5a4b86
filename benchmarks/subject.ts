/**
 * What is measured, in a process of its own: `subject.ts NAME FOLDER WARP`. Prints its port; answers each line on its
 * standard input with what it has cost so far.
 *
 * - `fettle`: the meter as `fettle relay serve` runs it, all tables, 50 ms batches.
 * - `bare`:   the loop one would write in an hour: parse, add up in a Map, every 50 ms one narrow upsert for each
 *             allocation that was touched. No sessions, no buckets, no admission, no restart.
 * - `frames`: finds the commands and answers them; keeps nothing.
 */
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { DEFAULT_TEMPLATE, openSqlite, readTemplate, respSource, startMeter } from '@fettle/relay'
import { collect } from './collect.ts'
import { listen } from './plain-redis.ts'

const [name = '', folder = '', warp = '1'] = process.argv.slice(2)
const file = join(folder, 'ledger.sqlite')
const token = 'benchmark'

interface Subject {
  readonly port: number
}

const subjects: Readonly<Record<string, () => Promise<Subject>>> = { fettle, bare, frames }

const subject = await subjects[name]!()
process.stdout.write(`${subject.port}\n`)
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'memory') await collect()
  const { user, system } = process.cpuUsage()
  const cost = { cpuSeconds: (user + system) / 1e6, rss: process.memoryUsage.rss() }
  process.stdout.write(`${JSON.stringify(cost)}\n`)
}
process.exit(0)

async function fettle(): Promise<Subject> {
  const template = readTemplate(DEFAULT_TEMPLATE)
  if (!('text' in template)) throw new Error(template.problem)
  // Time runs faster, so that an allocation reports every 10 s as in life, and buckets turn as often for each report.
  const began = Date.now()
  const clock = {
    now: () => Math.floor(began + (Date.now() - began) * Number(warp)),
    jumped: () => false,
    setRight: () => clock.now(),
  }
  let port = 0
  const source = respSource({
    host: '127.0.0.1',
    port: 0,
    servers: [{ name: 'turn1', token, version: null }],
    now: clock.now,
    on: (notice) => {
      if (notice.kind === 'listening') port = notice.port
    },
  })
  await startMeter({ source, store: await openSqlite({ file, template, lingerMs: 30_000 }), clock })
  return { port }
}

interface Counted {
  id: number
  dirty: boolean
  readonly counters: [number, number, number, number, number, number, number, number]
}

async function bare(): Promise<Subject> {
  const db = new DatabaseSync(file)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  db.exec('CREATE TABLE allocation (id INTEGER PRIMARY KEY, a, b, c, d, e, f, g, h)')
  const upsert = db.prepare('REPLACE INTO allocation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const known = new Map<string, Counted>()
  let dirty: Counted[] = []
  setInterval(() => {
    db.exec('BEGIN')
    for (const one of dirty) {
      upsert.run(one.id, ...one.counters)
      one.dirty = false
    }
    db.exec('COMMIT')
    dirty = []
  }, 50)
  const numbers = /rcvp=(\d+), rcvb=(\d+), sentp=(\d+), sentb=(\d+)/
  const port = await listen((words) => {
    const channel = words[1]!
    const peer = channel.endsWith('/traffic/peer')
    if (!peer && !channel.endsWith('/traffic')) return
    const path = channel.slice(0, peer ? -13 : -8)
    const one = known.get(path) ?? { id: known.size, dirty: false, counters: [0, 0, 0, 0, 0, 0, 0, 0] }
    if (one.id === known.size) known.set(path, one)
    const match = numbers.exec(words[2]!)!
    for (let k = 0; k < 4; k++) one.counters[(peer ? 4 : 0) + k]! += Number(match[k + 1])
    if (!one.dirty) dirty.push(one)
    one.dirty = true
  })
  return { port }
}

async function frames(): Promise<Subject> {
  return { port: await listen(undefined) }
}
