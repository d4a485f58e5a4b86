/** Threads that write together: this one, and as many more as the work is worth. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { Tally, type TallyState } from '../core/told.ts'
import type { Decode } from '../entries.ts'
import type { Source } from '../source/source.ts'
import { type Job, STOP } from './job.ts'
import { type Worked, work } from './work.ts'

/** What a thread of its own says at its end. */
export interface Ended {
  readonly tally: TallyState
  readonly failure: string | undefined
}

// About what this takes on one core: to make a file, to unpack a byte. A thread more costs START.
const FILE_SECONDS = 60e-6
const BYTE_SECONDS = 5e-9
const START_SECONDS = 0.15
const THREADS_MAX = 8

/** How many threads the work is worth. Bytes from elsewhere come too slowly for more than one. */
export function threadsFor(files: number, bytes: number, isLocal: boolean): number {
  if (!isLocal) return 1
  const seconds = files * FILE_SECONDS + bytes * BYTE_SECONDS
  return Math.max(1, Math.min(availableParallelism(), THREADS_MAX, Math.floor(seconds / START_SECONDS)))
}

/** Until all is done, or `signal` says stop. */
export async function workTogether(job: Job, source: Source, decode: Decode, threads: number, signal: AbortSignal) {
  const stop = () => Atomics.compareExchange(job.control.state, STOP, 0, 1)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop)
  try {
    const others = Array.from({ length: threads - 1 }, (_, i) => another(job, i + 1))
    const all: Worked[] = await Promise.all([work(job, source, decode, 0), ...others])
    const tally = new Tally()
    for (const one of all) tally.take(one.tally.state)
    return { tally, failure: all.find(({ failure }) => failure !== undefined)?.failure }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function another(job: Job, thread: number): Promise<Worked> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { job, thread } })
  return new Promise((resolve, reject) => {
    worker.once('message', ({ tally, failure }: Ended) => resolve({ tally: new Tally(tally), failure }))
    worker.once('error', (error) => {
      Atomics.store(job.control.state, STOP, 2)
      reject(error)
    })
  })
}
