/** The store's thread: answers requests in order, one transaction each. */
import { parentPort, workerData } from 'node:worker_threads'
import { Ledger, openDatabase } from './ledger.ts'
import type { Answer, Request, SqliteOptions } from './sqlite.ts'

const port = parentPort!
const answer = (message: Answer) => port.postMessage(message)
const options = workerData as SqliteOptions

function attempt(work: () => unknown): void {
  try {
    answer({ value: work() })
  } catch (error) {
    answer({ fault: error instanceof Error ? error.message : String(error) })
  }
}

let ledger: Ledger | undefined
attempt(() => {
  ledger = new Ledger(openDatabase(options.file), options)
})

port.on('message', (request: Request) => {
  attempt(() => {
    if (request.kind === 'restore') return ledger!.restore(request.claims)
    if (request.kind === 'commit') return ledger!.commit(request.cut)
    return ledger!.close()
  })
  if (request.kind === 'close') port.close()
})
