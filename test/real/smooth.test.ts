/** How smooth the web page is; nothing else may run meanwhile. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launch } from './browser.ts'
import { rowsAre, visitFake } from './console/visit.ts'

let browser: Browser
before(async () => {
  browser = await launch()
})
after(() => browser.close())

test('a table of 500 sessions that change four times a second keeps the page smooth', async (context) => {
  const { page, complaints } = await visitFake(context, browser, {
    open: 480,
    ended: 20,
    changesPerSecond: 4,
    share: 0.12,
  })
  await rowsAre(page, 500)
  const seconds = 4
  const script = `new Promise((resolve) => {
    const began = performance.now()
    const frames = []
    let last = began
    const frame = (now) => {
      frames.push(now - last)
      last = now
      if (now - began < ${seconds * 1000}) requestAnimationFrame(frame)
      else resolve(frames.sort((a, b) => a - b))
    }
    requestAnimationFrame(frame)
  })`
  const frames = await page.evaluate<number[]>(script)
  // A still page makes 60 a second. Half of that on a busy machine without a graphics card is still smooth.
  assert.ok(frames.length > 30 * seconds, `${frames.length} frames in ${seconds} s`)
  assert.ok(frames[Math.floor(frames.length * 0.95)]! < 100, `one frame of 20 took ${frames.at(-20)} ms`)
  assert.deepEqual(complaints, [])
})
