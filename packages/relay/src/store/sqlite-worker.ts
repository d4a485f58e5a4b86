/** The store's thread: answers requests in order, one transaction each. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Cut } from '../core/state.ts'
import { free } from '../core/table.ts'
import { Ledger, openDatabase } from './ledger.ts'
import type { Answer, Request, SqliteOptions } from './sqlite.ts'
import { buffersOf, type Committed } from './store.ts'

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
/** The last cut; when it could not be written it is tried again. */
let cut: Cut | undefined
attempt(() => {
  ledger = new Ledger(openDatabase(options.file), options)
})

/** Frees what is written at once: left to the garbage collector it would be most of the memory of a busy meter. */
function commit(cut: Cut): Committed {
  const committed = ledger!.commit(cut)
  for (const buffer of buffersOf(cut)) free(buffer)
  return committed
}

port.on('message', (request: Request) => {
  attempt(() => {
    if (request.kind === 'restore') return ledger!.restore(request.claims)
    if (request.kind === 'recall') return ledger!.recall(request.asked)
    if (request.kind === 'close') return ledger!.close()
    if (request.kind === 'commit') cut = request.cut
    return commit(cut!)
  })
  if (request.kind === 'close') port.close()
})
