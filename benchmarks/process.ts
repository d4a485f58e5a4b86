/** Starts what is measured, and reads what it has cost. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'

export interface Cost {
  readonly cpuSeconds: number
  readonly rss: number
}

export interface Running {
  readonly port: number
  cost(): Promise<Cost>
  /** The cost once the garbage of all threads has been collected. */
  costWithoutGarbage(): Promise<Cost>
  /** Waits until the store holds so many bytes: on a busy machine a commit of all rows takes its time. */
  stored(bytes: number): Promise<void>
  /** Waits until the store knows so many allocations, where it knows of them before they report. */
  opened(allocations: number): Promise<void>
  stop(): Promise<void>
}

export const TOKEN = 'benchmark'
const STORED_MS = 30_000

/** Asked from here: the caches of who asks are no cost of the subject. */
const questions: Readonly<Record<string, { readonly bytes: string; readonly allocations?: string }>> = {
  fettle: { bytes: 'SELECT sum(c_rcvb) AS n FROM live', allocations: 'SELECT max(id) AS n FROM allocation' },
  bare: { bytes: 'SELECT sum(b) AS n FROM allocation' },
}

export async function startSubject(name: string, warp: number): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-bench-'))
  const place = (file: string) => fileURLToPath(new URL(file, import.meta.url))
  const words = [
    // The young generation as `serve` gives it to its threads, to all subjects alike.
    ...['--max-semi-space-size=1', '--expose-gc', '--import', place('./collect.ts')],
    ...[place('./subject.ts'), name, folder, String(warp)],
  ]
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${name} ended`)
    return value
  }
  const port = Number(await line())
  const ask = async (question: 'cost' | 'memory'): Promise<Cost> => {
    child.stdin.write(`${question}\n`)
    return JSON.parse(await line())
  }
  const holds = async (question: string, wanted: number, everyMs: number) => {
    for (let waited = 0; waited < STORED_MS; waited += everyMs) {
      if (answerOf(join(folder, 'ledger.sqlite'), question) === wanted) return
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
    throw new Error(`${name} does not hold the ${wanted} that it was told of: ${question}`)
  }
  const { bytes, allocations } = questions[name] ?? {}
  return {
    port,
    cost: () => ask('cost'),
    costWithoutGarbage: () => ask('memory'),
    async stored(wanted) {
      if (bytes !== undefined) await holds(bytes, wanted, 300)
    },
    async opened(wanted) {
      if (allocations !== undefined) await holds(allocations, wanted, 10)
    },
    async stop() {
      const gone = once(child, 'exit')
      child.stdin.end()
      await gone
      rmSync(folder, { recursive: true })
    },
  }
}

function answerOf(file: string, question: string): number {
  const db = new DatabaseSync(file, { readOnly: true })
  const { n } = db.prepare(question).get() as { n: number }
  db.close()
  return n
}

/** Median, least and greatest. */
export function spread(values: readonly number[]): { median: number; least: number; most: number } {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const median = sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, least: sorted[0]!, most: sorted.at(-1)! }
}

/** `1.02 (0.98 to 1.10)`. */
export function spreadText(values: readonly number[], digits: number): string {
  const { median, least, most } = spread(values)
  return `${median.toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`
}
