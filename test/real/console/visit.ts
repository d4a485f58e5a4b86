/** The web page in a real browser, against a meter that is made up but keeps to the contract. */
import type { TestContext } from 'node:test'
import { type Fake, type FakeOptions, startFake } from '@fettle/console/fake'
import type { Browser, Page } from 'playwright-core'
import { type Opened, openPage } from '../browser.ts'
import { until } from '../harness.ts'

export interface Visit extends Opened {
  readonly fake: Fake
}

export interface Where {
  readonly address?: (fake: Fake) => string
  readonly width?: number
}

/** Opens the page over a fake that is closed with the test. Nothing changes by itself unless asked for. */
export async function visitFake(
  context: TestContext,
  browser: Browser,
  options: FakeOptions = {},
  where: Where = {},
): Promise<Visit> {
  const fake = await startFake({ changesPerSecond: 0, ...options })
  const opened = await openPage(context, browser, fake.origin, where.width)
  context.after(() => fake.close())
  await opened.page.goto((where.address ?? ((one) => one.url))(fake))
  return { fake, ...opened }
}

export const rows = 'table.sessions tbody tr'
export const countRows = (page: Page) => page.locator(rows).count()
export const textOf = (page: Page, selector: string) => page.locator(selector).first().innerText()

export async function rowsAre(page: Page, count: number): Promise<void> {
  await until(`${count} rows`, async () => (await countRows(page)) === count)
}
