/** A meter without a token beside a page that means harm, in a real browser on the same machine. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { build } from '@fettle/console/build'
import { chromium } from 'playwright-core'
import { startMeter } from '../fettle.ts'
import { find, Ground, until } from '../harness.ts'

/** Ways in which a page makes a browser ask somebody who has not let it; each says so in the query. */
const WAYS = ['form', 'beacon', 'iframe', 'GET', 'POST']
const attempts = (target: string) => `
  const url = ${JSON.stringify(`${target}/v1/reconcile?`)}
  const form = document.createElement('form')
  Object.assign(form, { method: 'POST', action: url + 'form', target: 'frame', enctype: 'text/plain' })
  document.body.append(form)
  form.submit()
  navigator.sendBeacon(url + 'beacon', 'x')
  document.body.append(Object.assign(document.createElement('iframe'), { src: url + 'iframe' }))
  for (const method of ['GET', 'POST']) fetch(url + method, { method, mode: 'no-cors' }).catch(() => {})`

test('[R50] a page of another origin gets nothing from a meter without a token; the meter’s own page does', async (t) => {
  await build()
  const ground = new Ground(t)
  mkdirSync(join(ground.folder, 'meter'), { mode: 0o700 })
  writeFileSync(join(ground.folder, 'meter', 'token'), '', { mode: 0o600 })
  const { running } = await startMeter(ground)
  const target = /^page: (http:\/\/\S+?)\/$/m.exec(running.output)![1]!
  const stranger = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end('<iframe name="frame"></iframe>')
  })
  t.after(() => stranger.close())
  await once(stranger.listen(0, ground.address(1)), 'listening')
  const { address, port } = stranger.address() as AddressInfo

  const browser = await chromium.launch({
    executablePath: find('chromium'),
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', `--host-resolver-rules=MAP evil.example ${address}`],
  })
  t.after(() => browser.close())
  const page = await browser.newPage()
  const answers = new Map<string, number>()
  page.on('response', (response) => {
    if (response.url().startsWith(`${target}/v1/`)) answers.set(new URL(response.url()).search, response.status())
  })
  for (const host of [address, 'evil.example']) {
    answers.clear()
    await page.goto(`http://${host}:${port}/`)
    await page.evaluate(attempts(target))
    // A preflight is answered to the browser, which tells nobody.
    await until('all answers', () => answers.size === WAYS.length)
    for (const way of WAYS) assert.equal(answers.get(`?${way}`), 403, `${host} ${way}`)
  }
  // The stranger's name led to himself first; now it leads to the meter (DNS rebinding).
  const rebound = await page.goto(target.replace(address, 'evil.example'))
  assert.equal(rebound?.status(), 403)

  await page.goto(`${target}/`)
  await page.locator('.totals').waitFor({ timeout: 10_000 })
})
