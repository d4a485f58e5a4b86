/** A thread of its own. */
import { parentPort } from 'node:worker_threads'
import { decoderOf } from '../core/encoding.ts'
import { fileSource } from '../source/file.ts'
import type { Ended, Order } from './crew.ts'
import { BYTES, READS } from './job.ts'
import { work } from './work.ts'

parentPort!.once('message', ({ job, thread }: Order) => {
  const { name, size, file } = job.archive
  const source = fileSource(name, file!, size)
  work(job, source, decoderOf(job.encoding), thread).then(
    ({ tally, failure }) => {
      Atomics.add(job.control.reads, BYTES, BigInt(source.cost.bytes))
      Atomics.add(job.control.reads, READS, BigInt(source.cost.requests))
      parentPort!.postMessage({ tally: tally.state, failure } satisfies Ended)
    },
    (bug) => setImmediate(() => Promise.reject(bug)),
  )
})
