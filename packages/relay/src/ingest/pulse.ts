/** Whether the coturn behind a connection has fallen silent for ever (rule R29). */

/** A request of which no more has come for so long will never be whole. */
const HALF_MS = 3000
/** coturn up to 4.6.1 says `PUBLISH __XXX__ __YYY__` on each connection every 5 s: four times missed is no accident. */
const HEARTBEATS_MS = 21_000
/** A time without a read that may have been a time of being blocked. */
const SILENCE_MS = 1000
/** Reads so soon after a silence may still be what had waited in the pipe. */
const DRAIN_MS = 10_000

/** Length of the channel of a heartbeat, shorter than any path. */
export const HEARTBEAT_LENGTH = '__XXX__'.length

export class Pulse {
  /** The meter's time at the last read. */
  at: number
  /** Heartbeats come on this connection. */
  beats = false
  #before: number
  #readAt = performance.now()
  #resumedAt = Number.NEGATIVE_INFINITY

  constructor(now: number) {
    this.at = now
    this.#before = now
  }

  /** Something was read, at this time of the meter. */
  read(now: number): void {
    const readAt = performance.now()
    if (readAt - this.#readAt > SILENCE_MS) {
      this.#before = this.at
      this.#resumedAt = readAt
    }
    this.#readAt = readAt
    this.at = now
  }

  /**
   * Since when events may be lost; NaN without a sign of it. A coturn that was blocked stops in the middle of a request
   * (`half`) and never goes on, whatever blocked it: a pause of ours or of the network, or more events at once than its
   * send buffer holds.
   */
  lostSince(half: boolean): number {
    const quiet = performance.now() - this.#readAt
    if (half && quiet > HALF_MS) return this.#readAt - this.#resumedAt < DRAIN_MS ? this.#before : this.at
    return this.beats && quiet > HEARTBEATS_MS ? this.at : Number.NaN
  }
}
