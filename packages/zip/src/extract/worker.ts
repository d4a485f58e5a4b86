/** A thread of its own. */
import { parentPort } from 'node:worker_threads'
import { decoderOf } from '../core/encoding.ts'
import { fileSource } from '../source/file.ts'
import type { Ended, Order } from './crew.ts'
import { work } from './work.ts'

parentPort!.once('message', ({ job, thread }: Order) => {
  const { name, size, file } = job.archive
  const worked = work(job, fileSource(name, file!, size), decoderOf(job.encoding), thread)
  worked.then(
    ({ tally, failure }) => parentPort!.postMessage({ tally: tally.state, failure } satisfies Ended),
    (bug) => setImmediate(() => Promise.reject(bug)),
  )
})
