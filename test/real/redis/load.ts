/** Loads for a real Redis, as data, and a thread that sends them and counts the truth. */
import { Worker } from 'node:worker_threads'
import type { Redis } from '../redis.ts'

/**
 * A command's words. In each `{1000}` stands for another whole number below that, `{*1000}` for so many bytes, and
 * `{cursor}` for the cursor that the last SCAN of this connection gave.
 */
export type Words = readonly string[]

/** What is sent at once, and how often beside the others of the client. */
export interface Step {
  readonly weight: number
  readonly commands: readonly Words[]
}

export interface LoadClient {
  /** Told to the server by CLIENT SETNAME; empty: it has none. */
  readonly name: string
  /** 1 unless it says otherwise. */
  readonly connections?: number
  /**
   * `inFlight`: on each connection so many steps, and another as soon as one is answered. `perSecond`: by the clock,
   * over all connections in turn, `batch` at a time (1), unless the one before the last is not answered yet. Left out:
   * it sends `first` only.
   */
  readonly pace?: { readonly inFlight: number } | { readonly perSecond: number; readonly batch?: number }
  readonly steps?: readonly Step[]
  /** Sent once on each connection, and not counted. */
  readonly first?: readonly Words[]
  /** Reads nothing of what it is sent. */
  readonly isDeaf?: true
  /** A connection of its own for each step. */
  readonly isFresh?: true
}

export interface Load {
  /** Commands that are sent before all others, in this order. */
  readonly seed: readonly Words[]
  readonly clients: readonly LoadClient[]
}

export const nothing: Load = { seed: [], clients: [] }

/** So many were answered. */
export interface Count {
  readonly command: string
  /** The first key, with `*` for what changes from one to the next. */
  readonly keys: string
  readonly client: string
  readonly calls: number
}

export interface RunningLoad {
  /** From now on is counted. */
  mark(): Promise<void>
  /** What was answered since the mark. */
  truth(): Promise<readonly Count[]>
  /** Errors that were answered since the mark. */
  errors(): Promise<number>
  /** Resolves when all its connections are closed. */
  stop(): Promise<void>
}

/** What is told to the thread, and its answer to each. */
export type Order = 'mark' | 'truth' | 'stop'
export interface Answer {
  readonly counts: readonly Count[]
  readonly errors: number
}
export interface Given {
  readonly host: string
  readonly port: number
  readonly load: Load
}

interface Ending {
  after(hook: () => Promise<void>): void
}

/** Seeds, connects, and sends; it ends with the test at the latest. */
export async function startLoad(test: Ending, { host, port }: Redis, load: Load): Promise<RunningLoad> {
  const workerData: Given = { host, port, load }
  const worker = new Worker(new URL('./load-worker.ts', import.meta.url), { workerData })
  test.after(async () => {
    await worker.terminate()
  })
  const waiting: PromiseWithResolvers<Answer>[] = []
  worker.on('message', (answer: Answer) => waiting.shift()?.resolve(answer))
  worker.on('error', (error) => waiting.shift()?.reject(error))
  const answer = () => {
    const next = Promise.withResolvers<Answer>()
    waiting.push(next)
    return next.promise
  }
  const tell = (order: Order) => {
    worker.postMessage(order)
    return answer()
  }
  await answer()
  return {
    mark: async () => {
      await tell('mark')
    },
    truth: async () => (await tell('truth')).counts,
    errors: async () => (await tell('truth')).errors,
    stop: async () => {
      await tell('stop')
      await worker.terminate()
    },
  }
}

/** A command in one string; words of scripts hold blanks and are given as a list. */
const wordsOf = (command: string | Words): Words => (typeof command === 'string' ? command.split(' ') : command)

/** Commands that go together. */
export const step = (...commands: readonly (string | Words)[]): Step => weighted(1, ...commands)
export const weighted = (weight: number, ...commands: readonly (string | Words)[]): Step => ({
  weight,
  commands: commands.map(wordsOf),
})
