// Takes the README's pictures of the web page: docs/pictures/console-{light,dark,phone}.png.
// Of the meter whose address, token and all, is in FETTLE_PAGE (not an argument, which others could read); without one,
// of made-up data, for development only.

import { mkdirSync } from 'node:fs'
import { type Fake, startFake } from '@fettle/console/fake'
import { type Browser, chromium } from 'playwright-core'

const folder = 'docs/pictures'
const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium'

interface Picture {
  readonly name: string
  readonly scheme: 'light' | 'dark'
  readonly width: number
  readonly height: number
  readonly scale: number
}

const pictures: readonly Picture[] = [
  { name: 'console-light', scheme: 'light', width: 1360, height: 850, scale: 1.5 },
  { name: 'console-dark', scheme: 'dark', width: 1360, height: 850, scale: 1.5 },
  { name: 'console-phone', scheme: 'light', width: 375, height: 812, scale: 2 },
]
/** The page has its rows at once; rates and the chart want to be seen a moment later. */
const SETTLE_MS = 2500

async function take(browser: Browser, url: string, picture: Picture): Promise<void> {
  const { width, height, scale, scheme, name } = picture
  const page = await browser.newPage({ viewport: { width, height }, deviceScaleFactor: scale, colorScheme: scheme })
  await page.goto(url)
  await page.locator('.totals').waitFor({ timeout: 15_000 })
  await page.waitForTimeout(SETTLE_MS)
  const path = `${folder}/${name}.png`
  await page.screenshot({ path })
  await page.close()
  console.log(path)
}

const given = process.env.FETTLE_PAGE
const fake: Fake | undefined = given === undefined ? await startFake() : undefined
if (fake !== undefined) console.log('No address was given: these pictures show made-up data.')
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']
const more = ['--disable-component-update', '--disable-sync', '--hide-scrollbars']
const browser = await chromium.launch({ executablePath: chromiumPath, args: [...args, ...more] })
try {
  mkdirSync(folder, { recursive: true })
  for (const picture of pictures) await take(browser, given ?? fake!.url, picture)
} finally {
  await browser.close()
  await fake?.close()
}
