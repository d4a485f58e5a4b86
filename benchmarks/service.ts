/**
 * What does the running service cost? From `npm start` to the first live number; at rest; and under events, with open
 * pages beside none, in turn. The whole process counts, all threads.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { spread } from './process.ts'
import { startCoturn } from './stream.ts'

const PAGES = 20
const LIVE = 1000
const EVENTS_PER_SECOND = 20_000
const ROUNDS = 5
const REST_MS = 20_000
const WORK_MS = 10_000
/** Clock ticks of /proc/PID/stat in a second, on every Linux that Node runs on. */
const TICKS = 100

const root = fileURLToPath(new URL('..', import.meta.url))
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const folder = mkdtempSync(join(tmpdir(), 'fettle-service-'))
const began = performance.now()
const service = await startService()
try {
  const one = await startCoturn(service.resp, service.token, 1)
  const [first] = [openPage(), await one.open()]
  await first.until(/"sessions":\[\{/)
  print('npm start to the first live number', `${seconds(performance.now() - began)} s`)
  first.close()
  one.close()

  await wait(2000)
  const rest = cpuSeconds()
  await wait(REST_MS)
  print('at rest', `${(((cpuSeconds() - rest) / REST_MS) * 1e5).toFixed(2)} % of a core, ${residentMB()} MB resident`)

  const coturn = await startCoturn(service.resp, service.token, LIVE, 2)
  await coturn.open()
  await coturn.report(EVENTS_PER_SECOND, 3000)
  const costs: Record<'none' | 'pages', number[]> = { none: [], pages: [] }
  for (let round = 0; round < ROUNDS; round++) {
    costs.none.push(await costOfMillion(coturn))
    const pages = Array.from({ length: PAGES }, openPage)
    for (const page of pages) await page.until(/event: snapshot/)
    costs.pages.push(await costOfMillion(coturn))
    for (const page of pages) page.close()
    await wait(1000)
  }
  const ratios = costs.pages.map((cost, i) => cost / costs.none[i]!)
  print('CPU-seconds a million events, no page open', figures(costs.none))
  print(`the same with ${PAGES} pages open`, figures(costs.pages))
  print('ratio', figures(ratios))
  coturn.close()
} finally {
  process.kill(service.pid, 'SIGTERM')
  rmSync(folder, { recursive: true, force: true })
}

interface Service {
  readonly child: ChildProcess
  /** Of the fettle process itself, below npm. */
  readonly pid: number
  readonly resp: number
  readonly http: string
  /** Of coturn. */
  readonly token: string
  /** Of the API. */
  readonly bearer: string
}

async function startService(): Promise<Service> {
  const data = join(folder, 'data')
  const options = ['--data', data, '--resp', '127.0.0.1:0', '--http', '127.0.0.1:0', '--log-format', 'text']
  const child = spawn('npm', ['start', '--silent', '--', ...options], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  while (!output.includes('waiting for coturn')) await wait(5)
  const { pid } = JSON.parse(readFileSync(join(data, 'running.json'), 'utf8')) as { pid: number }
  const [, port, token] = / port=(\d+) password=(\S+)/.exec(output)!
  const [, http, bearer] = /^page: (\S+)\/#token=(\S+)$/m.exec(output)!
  return { child, pid, resp: Number(port), http: http!, token: token!, bearer: bearer! }
}

/** A page as far as the service sees it: a reader of the stream of changes. */
function openPage() {
  const stop = new AbortController()
  let text = ''
  const read = async () => {
    const headers = { authorization: `Bearer ${service.bearer}` }
    const answer = await fetch(`${service.http}/v1/live`, { headers, signal: stop.signal })
    for await (const chunk of answer.body!) text = (text + Buffer.from(chunk).toString('latin1')).slice(-1_000_000)
  }
  read().catch(() => {})
  return {
    async until(pattern: RegExp) {
      while (!pattern.test(text)) await wait(5)
      text = ''
    },
    close: () => stop.abort(),
  }
}

async function costOfMillion(coturn: Awaited<ReturnType<typeof startCoturn>>): Promise<number> {
  const before = { cpu: cpuSeconds(), events: coturn.answered() }
  await coturn.report(EVENTS_PER_SECOND, WORK_MS)
  return ((cpuSeconds() - before.cpu) / (coturn.answered() - before.events)) * 1e6
}

function cpuSeconds(): number {
  const fields = readFileSync(`/proc/${service.pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

function residentMB(): string {
  const kB = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${service.pid}/status`, 'utf8'))![1])
  return (kB / 1000).toFixed(0)
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2)
}

function figures(values: readonly number[]): string {
  const { median, least, most } = spread(values)
  return `${median.toFixed(2)}  (${least.toFixed(2)} to ${most.toFixed(2)})`
}

function print(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(46)}${figure}\n`)
}
