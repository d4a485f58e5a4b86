/** A thread of its own. */
import { parentPort, workerData } from 'node:worker_threads'
import { decoderOf } from '../core/encoding.ts'
import { fileSource } from '../source/file.ts'
import type { Ended } from './crew.ts'
import type { Job } from './job.ts'
import { work } from './work.ts'

const { job, thread } = workerData as { job: Job; thread: number }
const { name, size, file } = job.archive
const { tally, failure } = await work(job, fileSource(name, file!, size), decoderOf(job.encoding), thread)
parentPort!.postMessage({ tally: tally.state, failure } satisfies Ended)
