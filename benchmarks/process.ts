/** Starts what is measured, and reads what it has cost. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface Cost {
  readonly cpuSeconds: number
  readonly rss: number
  /** The part of it that is JavaScript heaps, garbage included. */
  readonly heap: number
  /** Bytes in the store, when they were asked for. */
  readonly stored: number
}

export interface Running {
  readonly port: number
  cost(): Promise<Cost>
  /** Waits until the store holds this: on a busy machine a commit of all rows takes its time. */
  stored(bytes: number): Promise<Cost>
  stop(): Promise<void>
}

export const TOKEN = 'benchmark'
const STORED_TRIES = 100

export async function startSubject(name: string, warp: number): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-bench-'))
  const script = fileURLToPath(new URL('./subject.ts', import.meta.url))
  // The young generation as `serve` gives it to its threads, to all subjects alike.
  const words = ['--max-semi-space-size=1', script, name, folder, String(warp)]
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${name} ended`)
    return value
  }
  const port = Number(await line())
  const cost = async (question: 'cost' | 'stored' = 'cost'): Promise<Cost> => {
    child.stdin.write(`${question}\n`)
    return JSON.parse(await line())
  }
  return {
    port,
    cost,
    async stored(bytes) {
      for (let tries = 0; tries < STORED_TRIES; tries++) {
        const found = await cost('stored')
        if (found.stored === bytes) return found
        await new Promise((resolve) => setTimeout(resolve, 300))
      }
      throw new Error(`${name} does not hold the ${bytes} bytes that it was told of`)
    },
    async stop() {
      const gone = once(child, 'exit')
      child.stdin.end()
      await gone
      rmSync(folder, { recursive: true })
    },
  }
}

/** Median, least and greatest. */
export function spread(values: readonly number[]): { median: number; least: number; most: number } {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const median = sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, least: sorted[0]!, most: sorted.at(-1)! }
}
