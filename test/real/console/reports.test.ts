// Kept reports, from the command that keeps them to the page of a real meter in a real browser.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { saveReport } from '@fettle/check'
import { build } from '@fettle/console/build'
import { type Quantity, quantityText, type Report, units } from '@fettle/report'
import type { Browser, Page } from 'playwright-core'
import { countPlanted, isWide, launch, type Opened, openPage } from '../browser.ts'
import { fettle, type Meter, startMeter } from '../fettle.ts'
import { exitOf, Ground, until } from '../harness.ts'

let browser: Browser
before(async () => {
  await build()
  browser = await launch()
})
after(() => browser.close())

const INFO = new URL('../../../packages/redis/cases/window-keys.case', import.meta.url)

interface Visit extends Opened {
  readonly ground: Ground
  readonly meter: Meter
}

/** Opens the reports of a meter that has none yet. */
async function visit(context: TestContext, width?: number): Promise<Visit> {
  const ground = new Ground(context)
  const meter = await startMeter(ground)
  const opened = await openPage(context, browser, meter.http, width)
  await opened.page.goto(`${meter.http}/#token=${meter.token}`)
  await opened.page.getByRole('link', { name: 'Reports' }).click()
  await opened.page.getByText('No report was kept here.').waitFor()
  return { ground, meter, ...opened }
}

const reports = 'table.reports tbody tr'

/** As somebody who looks again. */
async function listReports(page: Page, count: number): Promise<void> {
  await page.reload()
  await until(`${count} reports`, async () => (await page.locator(reports).count()) === count)
}

async function go(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
}

test('[R51] [R52] what a command has kept: in the list, whole, and compared, by keyboard', async (context) => {
  const { ground, meter, page, complaints } = await visit(context)
  const [, pasted = ''] = readFileSync(INFO, 'utf8').split(/^---\n/m)
  for (const calls of ['50', '11']) {
    writeFileSync(join(ground.folder, 'info.txt'), pasted.replace('keys:calls=50', `keys:calls=${calls}`))
    const command = fettle(ground, 'redis', 'explain', 'info.txt', '--save', '--data', meter.data)
    assert.equal(await exitOf(command), 1, command.output)
  }
  await listReports(page, 2)
  assert.match(await page.locator(reports).first().innerText(), /^\d\d:\d\d:\d\d\s+redis explain\s+info\.txt\s+1\s+0$/)

  await page.locator(`${reports} a`).first().focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'redis explain info.txt' }).waitFor()
  assert.match(await page.title(), /Report, fettle$/)
  assert.equal(await page.evaluate('document.activeElement.tagName'), 'MAIN')
  const finding = page.locator('.judged.fault')
  assert.match(await finding.innerText(), /^fault KEYS: takes 9\d\.\d % of the time[\s\S]*SCAN instead of KEYS/)
  assert.match(await finding.innerText(), /INFO commandstats\s+1 calls, 6\.82 s[\s\S]*6\.82 s/)
  assert.match(await page.locator('.measures').innerText(), /CPU, of one core\s+48\.5 %/)
  assert.match(await page.locator('.cells').innerText(), /COMMAND\s+CALLS[\s\S]*\nget\s+90,000\s+130 ms/)
  await page.getByText('paste SLOWLOG GET 128 as well').waitFor()

  await page.getByRole('link', { name: 'Compare with the one before' }).focus()
  await page.keyboard.press('Enter')
  await page.locator('table.changes').waitFor()
  assert.match(await page.title(), /Comparison, fettle$/)
  const change = page.locator('table.changes tr').filter({ hasText: 'keys in db0' })
  assert.match(await change.innerText(), /keys in db0\s+1,000,000\s+1,000,000\s+0 %\s+the same/)
  await change.getByRole('button', { name: 'the same' }).focus()
  assert.equal(await page.getByRole('tooltip').innerText(), 'The same number.')
  assert.equal(await page.locator('.group').innerText(), 'Still there')

  await page.locator('.back a').click()
  await page.getByRole('link', { name: 'All reports of it' }).click()
  await until('both', async () => (await page.locator(reports).count()) === 2)
  assert.match(new URL(page.url()).hash, /^#\/reports\?tool=redis\+explain&subject=info\.txt$/)
  await page.locator(`${reports} a`).last().click()
  await page.getByText('No earlier one was kept.').waitFor()
  await page.locator('.back a').click()
  assert.match(new URL(page.url()).hash, /^#\/reports\?tool=/)
  assert.deepEqual(complaints, [])
})

const s = (value: number): Quantity => ({ value, unit: 's' })
const evil = '<img src=x onerror=hurt()><script>hurt()</script>\u202egnirts\u2066\u0000\u001b[31m\n'
const shown = String.raw`<img src=x onerror=hurt()><script>hurt()</script>\u202egnirts\u2066\u0000\u001b[31m\u000a`
const word = 'x'.repeat(300)

const hostile = (seconds: number): Report => ({
  schema: 'fettle.report/1',
  tool: evil,
  subject: evil + word,
  at: null,
  seconds,
  measures: [
    { name: 'a', title: evil, quantity: s(seconds) },
    { name: 'b', title: word, quantity: { value: 1, unit: '1', low: 0, high: 1e15 } },
  ],
  tables: [
    {
      name: 'keys',
      title: evil,
      columns: [
        { name: 'key', title: evil, flexible: true },
        { name: 'seconds', title: word },
        { name: 'word', title: 'WORD' },
      ],
      rows: Array.from({ length: 10_000 }, (_, i) => [
        i % 2 === 0 ? evil : word,
        i % 3 === 0 ? null : s(i),
        i === 1 ? evil + word : 'w',
      ]),
    },
  ],
  findings: Array.from({ length: 60 }, (_, i) => ({
    code: `evil.${seconds}-${i % 2 === 0 ? i : evil}`,
    severity: 'warning',
    subject: evil,
    says: evil + word,
    cause: word,
    confidence: 'possible',
    quantities: { [evil]: s(1), [word]: s(2) },
    evidence: Array.from({ length: 30 }, () => ({ source: evil, text: word })),
    remedy: ['javascript:hurt()', evil, word],
    undo: evil,
  })),
  unseen: [{ what: evil + word, why: evil }],
})

for (const width of [1360, 375]) {
  test(`a report that means harm does none, ${width} pixels wide, however large it is`, async (context) => {
    const { meter, page, complaints } = await visit(context, width)
    const keep = (seconds: number) => basename(saveReport(meter.data, hostile(seconds), Date.UTC(2026, 0, seconds)))
    const [first, second] = [keep(1), keep(2)]
    const isHarmless = async (place: string) => {
      assert.equal(await isWide(page), false, `${place} is wider than the window`)
      assert.equal(await countPlanted(page), 0, place)
      assert.deepEqual(complaints, [], place)
    }
    await listReports(page, 2)
    assert.equal(await page.locator(`${reports} .subject`).first().innerText(), shown + word)
    await isHarmless('the list')

    await go(page, `#/reports/${second}`)
    await page.locator('.cells tbody tr').first().waitFor()
    assert.equal(await page.locator('.judged').count(), 50)
    assert.ok((await page.locator('.judged h3').first().innerText()).endsWith(`${shown}: ${shown}${word}`))
    assert.equal(await page.locator('.cells tbody tr').count(), 100)
    await page.locator('.more').filter({ hasText: '9,900 rows more' }).getByRole('button').click()
    await until('more rows', async () => (await page.locator('.cells tbody tr').count()) === 1100)
    await page.getByRole('link', { name: 'Compare with the one before' }).waitFor()
    await isHarmless('the report')

    await go(page, `#/reports/compare?before=${first}&after=${second}`)
    await page.locator('.changes tbody tr').first().waitFor()
    await until('what came and went', async () => (await page.locator('.group').count()) >= 2)
    await isHarmless('the comparison')
    await go(page, `#/reports?${new URLSearchParams({ tool: evil, subject: evil + word })}`)
    await until('those two', async () => (await page.locator(reports).count()) === 2)
    await isHarmless('all of it')
  })
}

test('numbers stand on the page as the command line writes them', async (context) => {
  const { meter, page } = await visit(context)
  const values = [0, 1, 992, 0.9996, 59.99, 61, -75, 7260, 172_799.6, 0.9921, 3.3e-10, 4.2e-7, 999.6, 8.37e15, 0.31249]
  const quantities: Quantity[] = units.flatMap((unit) => values.map((value) => ({ value, unit })))
  quantities.push(
    { value: 0.0131, unit: 's', low: -0.0127, high: 70 },
    { value: 0.0131, unit: 's', low: 0.0127, high: 0.0135 },
    { value: 12, unit: '1', low: 11, high: 13.5 },
    { value: 0.5, unit: 'share', low: 0.5, high: 0.5 },
    { value: 3, unit: 'B/s', low: 1, high: Infinity },
    { value: Number.NaN, unit: 'B' },
  )
  const measures = quantities.map((quantity, i) => ({ name: `m${i}`, title: `m${i}`, quantity }))
  const report: Report = { ...hostile(1), tool: 'test', subject: 'numbers', measures, tables: [], findings: [] }
  await go(page, `#/reports/${basename(saveReport(meter.data, report, Date.now()))}`)
  await page.locator('.measures').waitFor()
  assert.deepEqual(await page.locator('.measures dd').allInnerTexts(), quantities.map(quantityText))
})

test('[R51] what is no report is said on its page', async (context) => {
  const { page } = await visit(context)
  await go(page, '#/reports/2026-01-01T000000.000Z-none.json')
  await page.getByText('There is no report 2026-01-01T000000.000Z-none.json: it cannot be read (ENOENT).').waitFor()
})
