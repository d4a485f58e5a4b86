/** Chromium, and what it complains of. */
import { type Browser, chromium, type Page } from 'playwright-core'
import { find } from './harness.ts'

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: find('chromium'),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

export interface Opened {
  readonly page: Page
  /** What the browser complained of, requests to strangers and everything that the policy forbade. */
  readonly complaints: string[]
}

interface Ending {
  after(hook: () => Promise<void>): void
}

/** A page that is closed with the test, and still empty; a name that gets to run calls `hurt`. */
export async function openPage(test: Ending, browser: Browser, origin: string, width = 1360): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width, height: 850 } })
  test.after(() => page.close())
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (!/^data:/.test(request.url()) && !request.url().startsWith(`${origin}/`)) complaints.push(request.url())
  })
  await page.exposeFunction('complain', (text: string) => complaints.push(text))
  await page.addInitScript(`
    addEventListener('securitypolicyviolation', (event) => complain('policy: ' + event.violatedDirective))
    globalThis.hurt = () => complain('a name was run')`)
  return { page, complaints }
}

export const isWide = (page: Page) => page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')

/** Nothing that a name may have put there. */
export const countPlanted = (page: Page) => page.locator('#page img, #page script, #page a[href^="javascript"]').count()
