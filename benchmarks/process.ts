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
  cost(question?: 'stored'): Promise<Cost>
  stop(): Promise<void>
}

export const TOKEN = 'benchmark'

export async function startSubject(name: string, warp: number): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-bench-'))
  const script = fileURLToPath(new URL('./subject.ts', import.meta.url))
  const child = spawn(process.execPath, [script, name, folder, String(warp)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${name} ended`)
    return value
  }
  const port = Number(await line())
  return {
    port,
    async cost(question) {
      child.stdin.write(`${question ?? 'cost'}\n`)
      return JSON.parse(await line())
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
