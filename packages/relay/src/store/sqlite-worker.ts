/** The store's thread: answers requests in order, one transaction each. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Cut } from '../core/state.ts'
import { Ledger, openDatabase } from './ledger.ts'
import type { Answer, Request, SqliteOptions } from './sqlite.ts'
import { buffersOf, type Committed } from './store.ts'

const port = parentPort!
const answer = (message: Answer, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)
const options = workerData as SqliteOptions

function attempt(work: () => unknown): void {
  try {
    const value = work()
    answer({ value }, isCommitted(value) ? buffersOf(value.buffers) : [])
  } catch (error) {
    answer({ fault: error instanceof Error ? error.message : String(error) })
  }
}

function isCommitted(value: unknown): value is Committed {
  return typeof value === 'object' && value !== null && 'buffers' in value
}

let ledger: Ledger | undefined
/** The last cut; when it could not be written it is tried again. */
let cut: Cut | undefined
attempt(() => {
  ledger = new Ledger(openDatabase(options.file), options)
})

port.on('message', (request: Request) => {
  attempt(() => {
    if (request.kind === 'restore') return ledger!.restore(request.claims)
    if (request.kind === 'close') return ledger!.close()
    if (request.kind === 'commit') cut = request.cut
    return ledger!.commit(cut!)
  })
  if (request.kind === 'close') port.close()
})
