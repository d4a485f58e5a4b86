// The web page in a real browser, against a meter that is made up but keeps to the contract.

import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import type { FakeOptions } from '@fettle/console/fake'
import type { Browser } from 'playwright-core'
import { countPlanted, isWide, launch } from '../browser.ts'
import { until } from '../harness.ts'
import { countRows, rows, rowsAre, textOf, visitFake, type Where } from './visit.ts'

let browser: Browser
before(async () => {
  browser = await launch()
})
after(() => browser.close())

const visit = (context: TestContext, options?: FakeOptions, where?: Where) =>
  visitFake(context, browser, options, where)

test('the page shows what the meter says, follows its changes, and asks nobody else', async (context) => {
  const { fake, page, complaints } = await visit(context, { open: 30, ended: 8 })
  await rowsAre(page, 38)
  assert.equal(new URL(page.url()).hash, '#/live', 'the token stays in the address')
  assert.match(await textOf(page, '.findings'), /^All is well\.$/)
  assert.match(await textOf(page, '.totals'), /Sessions open\s+30\s+Allocations open\s+30\s+Received/)
  assert.equal(await page.locator('.figures tbody tr').count(), 3)
  assert.equal(await page.locator('.plot canvas').count(), 1)
  assert.equal(await page.locator(`${rows}.ended`).count(), 8)

  const old = fake.sessions.find(({ state }) => state === 'open')!
  const client = { ...old.client, receivedBytes: 3_030_000 }
  const finding = { code: 'disk', level: 'problem', text: 'The disk is nearly full', remedy: 'Make room.' } as const
  const before = await page.locator(rows).evaluateAll((all) => {
    const changed: string[] = []
    const watch = (row: Element) => {
      const id = row.getAttribute('data-session')!
      const received = row.querySelector('.received')!
      new MutationObserver(() => changed.push(id)).observe(received, { subtree: true, characterData: true })
    }
    all.forEach(watch)
    Object.assign(globalThis, { changed })
    return all.length
  })
  assert.equal(before, 38)
  fake.say({ sessions: [{ ...old, client }], gone: [fake.sessions.at(-1)!.id], findings: [finding] })
  await rowsAre(page, 37)
  assert.equal(await textOf(page, `[data-session="${old.id}"] .received`), '3.03 MB')
  assert.deepEqual(await page.evaluate('changed'), [String(old.id)], 'rows that did not change were touched')
  assert.match(await textOf(page, '.findings'), /The disk is nearly full\s+Make room\./)
  assert.equal(await page.title(), '(1) fettle')
  assert.deepEqual(complaints, [])
})

test('a session that ends stays, greyed, with how it ended; durations run on by themselves until then', async (context) => {
  const { fake, page, complaints } = await visit(context, { open: 3, ended: 0 })
  await rowsAre(page, 3)
  const [one] = fake.sessions
  const duration = `[data-session="${one!.id}"] .duration`
  const first = await textOf(page, duration)
  await until('the clock to run', async () => (await textOf(page, duration)) !== first, 5)
  fake.say({
    sessions: [{ ...one!, state: 'final', end: 'expired', endedAt: new Date().toISOString(), durationSeconds: 61.2 }],
  })
  await until('the end', async () => (await page.locator(`${rows}.ended`).count()) === 1)
  assert.equal(await textOf(page, duration), '1:01')
  assert.equal(await textOf(page, `[data-session="${one!.id}"] .state`), 'expired')
  assert.deepEqual(complaints, [])
})

const hostile = [
  `<img src=x onerror=hurt()><script>hurt()</script>`,
  `"' onmouseover=hurt() x='`,
  `\u202egnirts desrever\u2066\u0000\u001b[31m\n`,
  'x'.repeat(500),
  `javascript:hurt()`,
  '',
]

for (const width of [1360, 375]) {
  test(`names that mean harm do none, ${width} pixels wide`, async (context) => {
    const { fake, page, complaints } = await visit(context, { open: 6, ended: 0, devices: hostile }, { width })
    await rowsAre(page, 6)
    const finding = { code: 'x', level: 'warning', text: hostile[0]!, remedy: hostile[3]! } as const
    const [one] = fake.sessions
    fake.say({
      sessions: [{ ...one!, realm: hostile[2]!, account: hostile[0]!, servers: [hostile[3]!] }],
      servers: [{ ...fake.servers[0]!, name: hostile[2]!, version: hostile[0]! }],
      findings: [finding],
    })
    await page.locator('.finding').waitFor()
    const shown = await page.locator(`${rows} .device`).allTextContents()
    assert.ok(shown.includes(hostile[0]!), shown.join('\n'))
    assert.ok(shown.includes(String.raw`\u202egnirts desrever\u2066\u0000\u001b[31m\u000a`), shown.join('\n'))
    assert.equal(await isWide(page), false, 'the live page is wider than the window')

    for (const { id } of fake.sessions) {
      await page.evaluate(`location.hash = '#/sessions/${id}'`)
      await page.getByText(`session ${id}`, { exact: true }).waitFor()
      await page.locator('.allocations tbody').waitFor()
      assert.equal(await isWide(page), false, `the page of session ${id} is wider than the window`)
    }
    assert.equal(await countPlanted(page), 0)
    assert.deepEqual(complaints, [])
  })
}

test('a lost connection is shown with its time, the page stands still, and it comes back by itself', async (context) => {
  const { fake, page, complaints } = await visit(context, { open: 4, ended: 1 })
  await rowsAre(page, 5)
  fake.setDown(true)
  const banner = page.locator('[data-code="connection"]')
  await banner.waitFor()
  assert.match(await banner.innerText(), /lost since \d\d:\d\d:\d\d/)
  assert.match(await textOf(page, '.heard'), /^not connected$/)
  assert.equal(await countRows(page), 5, 'what was known is still shown')
  const clocks = () => page.locator(`${rows}.open .duration`).allInnerTexts()
  const stopped = await clocks()
  await page.waitForTimeout(1500)
  assert.deepEqual(await clocks(), stopped)

  fake.setDown(false)
  await page.getByRole('button', { name: 'Try now' }).click()
  await banner.waitFor({ state: 'detached' })
  assert.match(await textOf(page, '.heard'), /^live/)
  fake.drop()
  await banner.waitFor()
  await banner.waitFor({ state: 'detached', timeout: 5000 })
  await until('the clocks to run again', async () => (await clocks()).join() !== stopped.join(), 5)
  // The browser itself says that requests failed; nothing else may.
  assert.deepEqual(
    complaints.filter((text) => !text.startsWith('Failed to load resource')),
    [],
  )
})

test('a page that finds a newer meter when it comes back is loaded anew, and only then', async (context) => {
  const { fake, page } = await visit(context, { open: 2, ended: 0 })
  await rowsAre(page, 2)
  const isSame = () => page.evaluate<boolean>('globalThis.same === true')
  await page.evaluate('globalThis.same = true')
  const asked = page.waitForRequest(`${fake.origin}/`)
  fake.drop()
  await asked
  await page.waitForTimeout(500)
  assert.equal(await isSame(), true)
  await page.route(`${fake.origin}/`, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<p>newer</p><script src="./assets/newer.js"></script>' }),
  )
  fake.drop()
  await page.getByText('newer').waitFor({ timeout: 5000 })
})

test('without a token, or with a wrong one, it is asked for; a meter that wants none is shown at once', async (context) => {
  const { fake, page } = await visit(context, { open: 3, ended: 0 }, { address: ({ origin }) => origin })
  const field = page.getByLabel('The meter’s token')
  await field.waitFor()
  assert.equal(await page.locator('.fault').count(), 0, 'nothing was entered yet')
  await until('the field to be in focus', () => page.evaluate<boolean>(`document.activeElement.id === 'token'`))
  await field.fill('“wrong”')
  await field.press('Enter')
  await page.locator('.fault').waitFor()
  await field.fill(fake.token)
  await field.press('Enter')
  await rowsAre(page, 3)
  await page.reload()
  await rowsAre(page, 3)
  await page.evaluate(`location.hash = '#token=other'`)
  await page.locator('.fault').waitFor()
  assert.doesNotMatch(page.url(), /token/)

  const open = await visit(context, { open: 2, ended: 0, token: '' })
  await rowsAre(open.page, 2)
  assert.deepEqual(open.complaints, [])
})

test('by keyboard: sort, filter, read an explanation, open a session and go back to what one saw', async (context) => {
  const { fake, page, complaints } = await visit(context, { open: 20, ended: 5, share: 0 })
  await rowsAre(page, 25)
  const title = page.getByRole('columnheader', { name: 'Received' })
  await title.getByRole('button').focus()
  await page.keyboard.press('Enter')
  assert.equal(await title.getAttribute('aria-sort'), 'descending')
  const bytes = fake.sessions.map(({ client }) => client.receivedBytes)
  const highest = fake.sessions.find(({ client }) => client.receivedBytes === Math.max(...bytes))!
  assert.equal(await page.locator(rows).first().getAttribute('data-session'), String(highest.id))

  await page.getByRole('searchbox').fill(highest.device)
  await until('only what fits', async () => (await countRows(page)) < 25)
  const row = page.getByRole('row').filter({ hasText: highest.device }).first()
  await row.getByRole('button', { name: 'at least' }).focus()
  const tip = page.getByRole('tooltip')
  assert.match(await tip.innerText(), /^Still counting\./)
  await page.keyboard.press('Escape')
  assert.equal(await tip.isVisible(), false)

  await row.getByRole('link').focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: highest.device }).waitFor()
  await page.locator('.allocations tbody').waitFor()
  assert.equal(await page.evaluate('document.activeElement.tagName'), 'MAIN')
  assert.match(await textOf(page, '.allocations'), /203\.0\.113\.\d+:3478[\s\S]*client[\s\S]*peer/)
  await page.goBack()
  await page.getByRole('searchbox').waitFor()
  assert.equal(await page.getByRole('searchbox').inputValue(), highest.device)
  assert.equal(await title.getAttribute('aria-sort'), 'descending')
  assert.deepEqual(complaints, [])
})

test('the records come page by page, and can be filtered by an address', async (context) => {
  const { fake, page, complaints } = await visit(context, { open: 90, ended: 30 })
  await rowsAre(page, 120)
  await page.getByRole('link', { name: 'Records' }).click()
  await rowsAre(page, 100)
  await page.getByRole('button', { name: 'Look further back' }).click()
  await rowsAre(page, 120)
  await page.getByText('That is all.').waitFor()

  const { device } = fake.sessions[0]!
  const fits = fake.sessions.filter((session) => session.device === device).length
  await page.getByRole('searchbox', { name: 'Device' }).fill(device)
  await page.getByRole('button', { name: 'Show' }).click()
  await rowsAre(page, fits)
  assert.equal(new URL(page.url()).hash, `#/sessions?device=${device}`)
  await page.reload()
  await rowsAre(page, fits)
  assert.equal(await page.getByRole('searchbox', { name: 'Device' }).inputValue(), device)
  assert.deepEqual(complaints, [])
})

test('a session is shown however slow the meter is to answer, and one goes back to where one came from', async (context) => {
  const { fake, page, complaints } = await visit(context, { open: 3, ended: 0 })
  await rowsAre(page, 3)
  await page.getByRole('link', { name: 'Records' }).click()
  assert.equal(await page.title(), 'Records, fettle')
  // Longer than the page waits before it asks again.
  await page.route('**/v1/sessions/*', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 6000))
    await route.continue()
  })
  const { id } = fake.sessions[0]!
  await page.locator(`[data-session="${id}"] a`).click()
  await page.getByText(`session ${id}`, { exact: true }).waitFor({ timeout: 9000 })
  assert.equal(await page.title(), `Session ${id}, fettle`)
  await page.locator('.back a').click()
  assert.equal(new URL(page.url()).hash, '#/sessions')
  assert.deepEqual(complaints, [])
})

test('rows stay under a pointer that moves, but not for ever under one that was left there', async (context) => {
  const { fake, page, complaints } = await visit(context, { open: 4, ended: 0 })
  await rowsAre(page, 4)
  await page.clock.install()
  const order = () =>
    page.locator(rows).evaluateAll((all) => all.map((row) => Number(row.getAttribute('data-session'))))
  await page.getByRole('columnheader', { name: 'Received' }).getByRole('button').click()
  await page.locator(rows).nth(2).hover()
  const before = await order()
  const last = fake.sessions.find(({ id }) => id === before.at(-1))!
  fake.say({ sessions: [{ ...last, client: { ...last.client, receivedBytes: 9e15 } }] })
  await until('the change', async () => (await textOf(page, `[data-session="${last.id}"] .received`)) === '9.00 PB')
  assert.deepEqual(await order(), before)
  await page.clock.runFor(11_000)
  assert.equal((await order())[0], last.id)
  assert.deepEqual(complaints, [])
})

test('the day stands beside a time as soon as it is not of today any more', async (context) => {
  const { fake, page, complaints } = await visit(context, { open: 1, ended: 0 })
  await rowsAre(page, 1)
  fake.say({ sessions: [{ ...fake.sessions[0]!, startedAt: new Date().toISOString() }] })
  await until('the start', async () => /^\d\d:\d\d:\d\d$/.test(await textOf(page, `${rows} .started`)))
  fake.say({ at: new Date(Date.now() + 26 * 3_600_000).toISOString() })
  await until('the day', async () => /^\d{2,4}-\d\d/.test(await textOf(page, `${rows} .started`)), 5)
  assert.deepEqual(complaints, [])
})

test('a phone shows every filter of the records', async (context) => {
  const { page } = await visit(context, { open: 3, ended: 0 }, { width: 360 })
  await page.getByRole('link', { name: 'Records' }).click()
  await rowsAre(page, 3)
  for (const field of await page.locator('form .filter').all()) {
    assert.ok((await field.boundingBox())!.width > 100, (await field.getAttribute('name')) ?? '')
  }
})

test('a phone shows all of an allocation, both sides', async (context) => {
  const { fake, page, complaints } = await visit(context, { open: 3, ended: 0 }, { width: 360 })
  await rowsAre(page, 3)
  await page.evaluate(`location.hash = '#/sessions/${fake.sessions[0]!.id}'`)
  await page.locator('.allocations tbody').first().waitFor()
  for (const cell of await page.locator('.allocations tbody [role]').all()) {
    const { x, width } = (await cell.boundingBox()) ?? { x: 0, width: 0 }
    assert.ok(x + width <= 360, await cell.innerText())
  }
  assert.deepEqual(complaints, [])
})
