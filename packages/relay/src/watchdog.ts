/** Ends a thread that stands still: a meter that takes connections and answers none keeps a starting coturn shut. */
import type { Worker } from 'node:worker_threads'

/** How often the thread must say something. */
export const BEAT_MS = 1000
const MISSED_MAX = 30

/**
 * Watches for messages of the thread; without one for 30 s it calls `hung` and ends the thread. It counts its own turns
 * and not the clock's time: when the whole process was stopped, both threads were.
 */
export function watchThread(worker: Worker, hung: () => void, beatMs = BEAT_MS): void {
  let missed = 0
  worker.on('message', () => {
    missed = 0
  })
  const timer = setInterval(() => {
    if (++missed < MISSED_MAX) return
    clearInterval(timer)
    hung()
    worker.terminate()
  }, beatMs)
  worker.on('exit', () => clearInterval(timer))
}
