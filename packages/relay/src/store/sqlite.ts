/** The embedded store: a ledger in a worker thread, so that no disk ever holds up the sockets. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Recalled, Reconciliation } from '../core/reconcile.ts'
import type { Saved } from '../core/restore.ts'
import type { Cut } from '../core/state.ts'
import { resourceLimits } from '../threads.ts'
import type { LedgerOptions } from './ledger.ts'
import { buffersOf, type Committed, type Store, type StreamClaim } from './store.ts'

export interface SqliteOptions extends LedgerOptions {
  readonly file: string
}

/** What the worker is asked; it answers each in order. */
export type Request =
  | { readonly kind: 'restore'; readonly claims: readonly StreamClaim[] }
  | { readonly kind: 'commit'; readonly cut: Cut }
  /** The cut that could not be written. */
  | { readonly kind: 'again' }
  | { readonly kind: 'recall'; readonly asked: Reconciliation }
  | { readonly kind: 'close' }

export type Answer = { readonly value: unknown } | { readonly fault: string }

/** Opens the ledger. Rejects with one line that says what is wrong with the file. */
export async function openSqlite(options: SqliteOptions): Promise<Store> {
  const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), { workerData: options, resourceLimits })
  const waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = []
  const fail = (error: Error) => {
    for (const one of waiting.splice(0)) one.reject(error)
  }
  worker.on('message', (answer: Answer) => {
    const one = waiting.shift()
    if ('fault' in answer) one?.reject(new Error(answer.fault))
    else one?.resolve(answer.value)
  })
  worker.on('error', fail)
  const ask = (request: Request, transfer: ArrayBuffer[] = []) =>
    new Promise<unknown>((resolve, reject) => {
      waiting.push({ resolve, reject })
      worker.postMessage(request, transfer)
    })
  await new Promise<unknown>((resolve, reject) => waiting.push({ resolve, reject }))
  let failed: Cut | undefined
  return {
    restore: async (claims) => (await ask({ kind: 'restore', claims })) as Saved,
    async commit(cut) {
      // The buffers go over to the worker, which frees them when they are written and keeps them when that fails.
      const request: Request = cut === failed ? { kind: 'again' } : { kind: 'commit', cut }
      failed = cut
      const written = (await ask(request, request.kind === 'commit' ? buffersOf(cut) : [])) as Committed
      failed = undefined
      return written
    },
    recall: async (asked) => (await ask({ kind: 'recall', asked })) as Recalled[],
    close: async () => {
      const gone = once(worker, 'exit')
      await ask({ kind: 'close' })
      await gone
    },
  }
}
