/** Kept reports by the API; how they are found and read is tested where that is: packages/check/test/saved.test.ts. */
import assert from 'node:assert/strict'
import { readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Report } from '@fettle/report'
import { compare } from '@fettle/report/comparison'
import type { Api } from '../src/serve/api.ts'
import { schemas } from '../src/serve/schemas.ts'
import { ask, get, KEPT, pages, Rig, richRig, TOKEN } from './api-rig.ts'

async function problemOf(api: Api, path: string): Promise<string> {
  const body = schemas.Problem.parse(await (await api.fetch(get(path))).json())
  return `${body.status}: ${body.detail}`
}

test('[R51] kept reports are listed, newest first, by tool and subject, a page at a time', async (context) => {
  const rig = richRig(context)
  const api = rig.api()
  const { reports, next } = schemas.ReportPage.parse(await ask(api, '/v1/reports'))
  assert.deepEqual([reports.map(({ name }) => name), next], [KEPT.toReversed(), null])
  assert.deepEqual(reports[1], {
    name: KEPT[0],
    tool: 'redis explain',
    subject: 'info.txt',
    at: '2026-01-01T11:00:00.000Z',
    keptAt: '2026-01-01T12:00:00.000Z',
    seconds: null,
    faults: 1,
    warnings: 0,
    notes: 0,
  })
  const other = rig.keep({ tool: 'ssh check', subject: 'a b&c' })
  type Page = { reports: { name: string }[] }
  const names = async (query: string) =>
    (await pages<Page>(api, `/v1/reports?${query}`)).map((page) => page.reports.map(({ name }) => name))
  assert.deepEqual(await names('limit=1'), [[other], [KEPT[1]], [KEPT[0]]])
  assert.deepEqual(await names('subject=a%20b%26c'), [[other]])
  assert.deepEqual(await names('tool=redis%20explain&limit=2'), [[KEPT[1], KEPT[0]]])
  assert.deepEqual(await names('tool=ssh'), [[]])
})

test('[R51] what is no report is not there, and leads nowhere', async (context) => {
  const rig = richRig(context)
  const api = rig.api()
  const place = (name: string) => join(rig.folder, 'reports', name)
  writeFileSync(join(rig.folder, 'token'), TOKEN)
  const [link, huge, broken] = ['link', 'huge', 'broken'].map((what) => KEPT[0].replace('info.txt', what)) as [
    string,
    string,
    string,
  ]
  symlinkSync(place(KEPT[0]), place(link))
  writeFileSync(place(huge), '{')
  truncateSync(place(huge), 64 * 1024 * 1024)
  writeFileSync(place(broken), '{"schema":"fettle.report/1"}')
  const { reports } = await ask<{ reports: unknown[] }>(api, '/v1/reports')
  assert.equal(reports.length, KEPT.length)
  for (const [name, why] of [
    [link, 'cannot be read (ELOOP)'],
    [huge, 'is larger than 8.00 MB, too large for a report'],
    [broken, 'is a damaged report: "tool" is wrong'],
    [KEPT[0].replace('info', 'none'), 'cannot be read (ENOENT)'],
  ] as const) {
    const said = `404: There is no report ${name}: it ${why}.`
    assert.equal(await problemOf(api, `/v1/reports/${name}`), said)
    assert.equal(await problemOf(api, `/v1/reports/compare?before=${KEPT[0]}&after=${name}`), said)
    assert.equal(await problemOf(api, `/v1/reports/compare?before=${name}&after=${KEPT[0]}`), said)
  }
  for (const name of ['..%2Ftoken', '..%2F..%2Fetc%2Fpasswd', `..%2Freports%2F${KEPT[0]}`, `${KEPT[0]}%00`, 'token']) {
    assert.match(await problemOf(api, `/v1/reports/${name}`), /^400: name .*: give the name of a report/, name)
    assert.match(await problemOf(api, `/v1/reports?cursor=${name}`), /^400: cursor /, name)
  }
})

test('[R52] a report is given as it was kept, and two of a kind are compared', async (context) => {
  const rig = richRig(context)
  const api = rig.api()
  const kept = KEPT.map((name) => readFileSync(join(rig.folder, 'reports', name), 'utf8'))
  const response = await api.fetch(get(`/v1/reports/${KEPT[0]}`))
  assert.equal(response.headers.get('content-type'), 'application/json')
  assert.equal(await response.text(), kept[0])
  schemas.Report.parse(JSON.parse(kept[0]!))

  const [before, after] = kept.map((text) => JSON.parse(text) as Report) as [Report, Report]
  const comparison = schemas.Comparison.parse(await ask(api, `/v1/reports/compare?before=${KEPT[0]}&after=${KEPT[1]}`))
  assert.deepEqual(comparison, compare(before, after))
  assert.deepEqual(
    [comparison.changes.map(({ name, verdict }) => [name, verdict]), comparison.gone.length],
    [[['cpu', 'same']], 1],
  )
  const other = rig.keep({ subject: 'other' })
  assert.equal(
    await problemOf(api, `/v1/reports/compare?before=${KEPT[0]}&after=${other}`),
    '400: These reports cannot be compared: one is of info.txt, the other of other.',
  )
  assert.equal(
    await problemOf(api, `/v1/reports/compare?before=${KEPT[0]}`),
    '400: after "": give the name of a report, as the list has it',
  )
})

test('[R51] a folder that cannot be read is said in the log; one that is not there holds no report', async (context) => {
  const rig = new Rig(context)
  const api = rig.api()
  assert.deepEqual(await ask(api, '/v1/reports'), { reports: [], next: null })
  writeFileSync(join(rig.folder, 'reports'), '')
  assert.match(await problemOf(api, '/v1/reports'), /^500: .* Its log says why\.$/)
  assert.match(rig.errors[0]!.message, /reports: cannot be read \(ENOTDIR\)$/)
})

test('[R51] so many read reports at once, and no more', async (context) => {
  const rig = richRig(context)
  const api = rig.api()
  const answers = await Promise.all(Array.from({ length: 12 }, () => api.fetch(get('/v1/reports'))))
  const statuses = answers.map(({ status }) => status)
  assert.deepEqual(new Set(statuses), new Set([200, 503]))
  assert.ok(answers.every(({ status, headers }) => status === 200 || headers.get('retry-after') === '30'))
  assert.equal((await api.fetch(get('/v1/reports'))).status, 200)
})
