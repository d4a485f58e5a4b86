/** Threads that write together: this one, and as many more as the work is worth. */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { Tally, type TallyState } from '../core/told.ts'
import type { Decode } from '../entries.ts'
import type { Source } from '../source/source.ts'
import { type Job, STOP } from './job.ts'
import { type Worked, work } from './work.ts'

/** What a thread of its own is told, once. */
export interface Order {
  readonly job: Job
  /** Its number. */
  readonly thread: number
}

/** What it says at its end. */
export interface Ended {
  readonly tally: TallyState
  readonly failure: string | undefined
}

// About what this takes on one core: to make a file, to unpack a byte.
const FILE_SECONDS = 90e-6
const BYTE_SECONDS = 5e-9
/** What each thread should have to do: with nothing compiled it begins slowly, and takes the time of the others. */
const WORTH_SECONDS = 0.45
const THREADS_MAX = 8

/** How many threads the work is worth. */
export function threadsFor(files: number, bytes: number): number {
  const seconds = files * FILE_SECONDS + bytes * BYTE_SECONDS
  return Math.max(1, Math.min(availableParallelism(), THREADS_MAX, Math.floor(seconds / WORTH_SECONDS)))
}

/** A thread begins with nothing compiled, and sources take longer to read than most work here takes. */
const ENTRY = "require('node:module').enableCompileCache(); require(require('node:worker_threads').workerData)"

export class Crew {
  readonly #workers = new Set<Worker>()

  get isAlone(): boolean {
    return this.#workers.size === 0
  }

  /** As many threads as these, this one among them. They begin at once, while their work is still being found out. */
  grow(threads: number): void {
    if (threads < 2) return leaveCore()
    const main = fileURLToPath(new URL('./worker.ts', import.meta.url))
    // Loading it takes milliseconds, and most extractions are done by this thread alone.
    const { Worker } = process.getBuiltinModule('node:worker_threads')
    while (this.#workers.size < threads - 1) {
      const worker = new Worker(ENTRY, { eval: true, workerData: main })
      this.#workers.add(worker)
      // Without it the others do its work.
      worker.on('error', () => this.#workers.delete(worker))
    }
  }

  /** Once, until all is done, or `signal` says stop. */
  async work(job: Job, source: Source, decode: Decode, signal: AbortSignal): Promise<Worked> {
    const stop = () => Atomics.compareExchange(job.control.state, STOP, 0, 1)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
    try {
      const others = Array.from(this.#workers, (worker, i) => another(worker, { job, thread: i + 1 }))
      const works = [work(job, source, decode, 0), ...others]
      // Whatever becomes of one, the others still write where all is put away afterwards.
      await Promise.allSettled(works)
      const all = await Promise.all(works)
      const tally = new Tally()
      for (const one of all) tally.take(one.tally.state)
      return { tally, failure: all.find(({ failure }) => failure !== undefined)?.failure }
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#workers, (worker) => worker.terminate()))
  }
}

/**
 * zlib unpacks in threads of libuv, of which there are four: on two cores they take the time of the one that writes.
 * How many there are is read when the first is needed (libuv 1.52, src/threadpool.c).
 */
function leaveCore(): void {
  const { env } = process
  env.UV_THREADPOOL_SIZE ??= String(Math.max(1, Math.min(4, availableParallelism() - 1)))
}

function another(worker: Worker, order: Order): Promise<Worked> {
  return new Promise((resolve, reject) => {
    worker.once('message', ({ tally, failure }: Ended) => resolve({ tally: new Tally(tally), failure }))
    worker.once('error', (error) => {
      Atomics.store(order.job.control.state, STOP, 2)
      reject(error)
    })
    worker.postMessage(order)
  })
}
