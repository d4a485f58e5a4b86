/** Whether this thread stood still for so long that a pipe to it may have filled (rule R29). */
import { readFileSync } from 'node:fs'

/** How often the endpoint looks, at least. */
export const WATCH_MS = 250
/** A longer pause may have filled a pipe. */
const STALL_MS = 1000

export class StallWatch {
  readonly #now: () => number
  #alive = performance.now()
  #began = Number.NaN
  #ended = Number.NaN

  /** `now`: milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now
  }

  /**
   * Says that the thread runs, at every read and every look: a pause counts whatever made it, a stopped process or long
   * work. True when one has just ended; one that follows before the first was taken belongs to it.
   */
  runs(): boolean {
    const now = performance.now()
    const pause = now - this.#alive
    this.#alive = now
    if (pause < STALL_MS + WATCH_MS) return false
    this.#ended = now
    if (this.pending) return false
    this.#began = Math.floor(this.#now() - pause)
    return true
  }

  /** A stall has ended, and what waited in the pipes meanwhile may not have been read yet. */
  get pending(): boolean {
    return !Number.isNaN(this.#began)
  }

  /** When the last stall began, once there was time to read what had waited; else NaN. Each is told once. */
  take(): number {
    if (performance.now() - this.#ended < WATCH_MS) return Number.NaN
    const began = this.#began
    this.#began = Number.NaN
    return began
  }
}

/** The least that can wait in a connection before its sender is held up: a part of the kernel's receive buffer. */
export function smallestPipe(): number {
  try {
    const [, usual = Number.NaN] = readFileSync('/proc/sys/net/ipv4/tcp_rmem', 'utf8').split(/\s+/).map(Number)
    return usual > 0 ? usual / 4 : 16_384
  } catch {
    return 16_384
  }
}
