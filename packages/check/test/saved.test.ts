import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs, { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Finding, Report } from '@fettle/report'
import { KeptReports, lastTwo, saveReport } from '../src/saved.ts'

const START = Date.UTC(2026, 0, 1)

const finding = (severity: Finding['severity']): Finding => ({
  code: 'redis.x',
  severity,
  subject: '',
  says: 'So it is.',
  confidence: 'measured',
  quantities: {},
  evidence: [],
  remedy: [],
})

const report = (subject: string, more: Partial<Report> = {}): Report => ({
  schema: 'fettle.report/1',
  tool: 'redis explain',
  subject,
  at: null,
  seconds: 3,
  measures: [],
  tables: [],
  findings: [],
  unseen: [],
  ...more,
})

class Folder {
  readonly data = mkdtempSync(join(tmpdir(), 'fettle-saved-'))
  readonly reports = join(this.data, 'reports')
  readonly kept = new KeptReports(this.data)

  constructor(context: TestContext) {
    context.after(() => rmSync(this.data, { recursive: true }))
  }

  /** `minute`: when it was kept. Returns its name. */
  keep(minute: number, subject: string, more: Partial<Report> = {}): string {
    return basename(saveReport(this.data, report(subject, more), START + minute * 60_000))
  }

  /** Whatever there is at `path` under the folder, with the name of a report. */
  path(minute: number, what: string): string {
    const time = new Date(START + minute * 60_000).toISOString().replaceAll(':', '')
    return join(this.reports, `${time}-redis-explain-${what}.json`)
  }

  async names(more: { tool?: string; subject?: string; before?: string; limit?: number } = {}): Promise<string[]> {
    const { reports, next } = await this.kept.list({ limit: 100, ...more })
    return [...reports.map(({ name }) => name), ...(next === null ? [] : ['...'])]
  }
}

test('[R51] kept reports are listed newest first, page by page, with what they come to', async (context) => {
  const folder = new Folder(context)
  assert.deepEqual(await folder.kept.list({ limit: 9 }), { reports: [], next: null })
  const first = folder.keep(1, 'a/b <c>.txt', {
    at: '2025-12-31T23:00:00.000Z',
    findings: [finding('fault'), finding('note'), finding('fault'), finding('warning')],
  })
  const second = folder.keep(2, 'b')
  const third = folder.keep(3, 'a', { tool: 'ssh check' })
  assert.deepEqual(await folder.names(), [third, second, first])
  assert.deepEqual(await folder.names({ limit: 2 }), [third, second, '...'])
  assert.deepEqual(await folder.names({ limit: 3 }), [third, second, first])
  const rest = await folder.kept.list({ limit: 2, before: second })
  assert.deepEqual(rest, {
    reports: [
      {
        name: '2026-01-01T000100.000Z-redis-explain-a-b-c-.txt.json',
        tool: 'redis explain',
        subject: 'a/b <c>.txt',
        at: '2025-12-31T23:00:00.000Z',
        keptAt: '2026-01-01T00:01:00.000Z',
        seconds: 3,
        faults: 2,
        warnings: 1,
        notes: 1,
      },
    ],
    next: null,
  })
  assert.deepEqual(await folder.names({ tool: 'ssh check' }), [third])
  assert.deepEqual(await folder.names({ tool: 'redis explain', subject: 'b' }), [second])
  assert.deepEqual(await folder.names({ subject: 'B' }), [])
  // One that is kept while others page is the first of the next list, and moves nothing.
  const fourth = folder.keep(4, 'b')
  assert.deepEqual(await folder.names({ before: second }), [first])
  assert.deepEqual(await folder.names({ limit: 1 }), [fourth, '...'])
})

test('[R51] what is no report is neither listed nor given, and breaks nothing', async (context) => {
  const folder = new Folder(context)
  const good = folder.keep(1, 'good')
  const secret = join(folder.data, 'secret.json')
  writeFileSync(secret, JSON.stringify(report('secret')))
  writeFileSync(folder.path(2, 'broken'), '{"schema":"fettle.report/1"')
  writeFileSync(folder.path(3, 'other'), '{"schema":"fettle.report/9"}')
  writeFileSync(folder.path(4, 'empty'), '')
  mkdirSync(folder.path(5, 'folder'))
  symlinkSync(secret, folder.path(6, 'link'))
  execFileSync('mkfifo', [folder.path(7, 'pipe')])
  writeFileSync(folder.path(8, 'huge'), '')
  truncateSync(folder.path(8, 'huge'), 64 * 1024 * 1024)
  for (const name of [
    'before.json',
    '2026-13-01T000000.000Z-x-y.json',
    '2026-02-30T000000.000Z-x-y.json',
    `${good}.part`,
  ]) {
    writeFileSync(join(folder.reports, name), JSON.stringify(report('misnamed')))
  }
  assert.deepEqual(await folder.names(), [good])

  const problem = (name: string) => {
    const loaded = folder.kept.load(name)
    return 'problem' in loaded ? loaded.problem : loaded.report.subject
  }
  assert.equal(problem(good), 'good')
  for (const [path, said] of [
    [folder.path(2, 'broken'), 'is no JSON'],
    [folder.path(3, 'other'), 'is no report of this version of fettle (fettle.report/1)'],
    [folder.path(5, 'folder'), 'is no file'],
    [folder.path(6, 'link'), 'cannot be read (ELOOP)'],
    [folder.path(7, 'pipe'), 'is no file'],
    [folder.path(8, 'huge'), 'is larger than 8.00 MB, too large for a report'],
    [folder.path(9, 'none'), 'cannot be read (ENOENT)'],
  ] as const) {
    assert.equal(problem(basename(path)), said)
  }
  for (const name of [
    '../secret.json',
    'secret.json',
    `x/../${good}`,
    `./${good}`,
    '',
    good.replace('.json', '\0.json'),
  ]) {
    assert.equal(problem(name), 'is no report’s name', name)
  }
})

test('[R51] a report is read once, and a page ends when much was read', async (context) => {
  const folder = new Folder(context)
  const text = 'x'.repeat(5_000_000)
  const names = [1, 2, 3, 4, 5, 6].map((minute) => folder.keep(minute, 'big', { unseen: [{ what: text, why: '' }] }))
  const newestFirst = names.toReversed()
  assert.deepEqual(await folder.names(), [...newestFirst.slice(0, 4), '...'])
  // What was read is known by now, so that the same page comes further.
  assert.deepEqual(await folder.names(), newestFirst)
  writeFileSync(join(folder.reports, names[0]!), 'changed')
  assert.deepEqual(await folder.names(), newestFirst)
  rmSync(join(folder.reports, names[0]!))
  assert.deepEqual(await folder.names(), newestFirst.slice(0, 5))
})

test('[R51] between two files others have their turn', async (context) => {
  const folder = new Folder(context)
  for (let minute = 1; minute <= 5; minute++) folder.keep(minute, 'a')
  let turns = 0
  let turn = setImmediate(function next() {
    turns++
    turn = setImmediate(next)
  })
  const opened: number[] = []
  const { openSync } = fs
  context.mock.method(fs, 'openSync', (path: string, flags: number) => {
    opened.push(turns)
    return openSync(path, flags)
  })
  syncBuiltinESMExports()
  try {
    assert.equal((await folder.names()).length, 5)
  } finally {
    context.mock.restoreAll()
    syncBuiltinESMExports()
    clearImmediate(turn)
  }
  assert.equal(new Set(opened).size, 5, opened.join())
})

test('[R51] a folder of nothing but files that are no report ends a page too', async (context) => {
  const folder = new Folder(context)
  const good = folder.keep(0, 'good')
  for (let minute = 1; minute <= 1000; minute++) writeFileSync(folder.path(minute, 'empty'), '')
  const { reports, next } = await folder.kept.list({ limit: 1 })
  assert.deepEqual([reports, next], [[], basename(folder.path(1, 'empty'))])
  assert.deepEqual(await folder.names({ before: next! }), [good])
})

test('the last two are of one tool and subject, however much lies between them', async (context) => {
  const folder = new Folder(context)
  await assert.rejects(lastTwo(folder.data), /no report was kept here/)
  folder.keep(1, 'a', { seconds: 1 })
  for (let minute = 2; minute <= 5; minute++) folder.keep(minute, 'b', { unseen: [{ what: 'x'.repeat(5e6), why: '' }] })
  folder.keep(6, 'a', { tool: 'ssh check' })
  writeFileSync(folder.path(9, 'broken'), '{')
  await assert.rejects(lastTwo(folder.data), /there is one report of ssh check a; a comparison needs two/)
  folder.keep(7, 'a', { seconds: 2 })
  assert.deepEqual(
    (await lastTwo(folder.data)).map(({ seconds }) => seconds),
    [1, 2],
  )
})

test('a report that nobody could read again is not kept', (context) => {
  const folder = new Folder(context)
  const many = Array.from({ length: 10 }, () => ({ what: 'x'.repeat(2_000_000), why: '' }))
  assert.throws(() => folder.keep(1, 'a', { unseen: many }), /is not kept, for it would be larger than 8\.00 MB$/)
})
