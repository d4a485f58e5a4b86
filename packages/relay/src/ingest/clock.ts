/** The meter's time (rule R24). */

export interface Clock {
  /** Milliseconds since the epoch, whole; never runs backwards. */
  now(): number
  /** The machine's clock was set by more than two seconds since the clocks last agreed. */
  jumped(): boolean
  /** Goes over to the machine's clock if that is ahead, and returns the new time. */
  setRight(): number
}

const JUMP_MS = 2000

/**
 * Counts on from the machine's clock with the monotonic one, so that setting the clock neither turns time back nor
 * makes every lifetime run out at once; small differences (NTP slewing) are followed.
 */
export function systemClock(wall: () => number = Date.now, monotonic: () => number = () => performance.now()): Clock {
  let offset = wall() - monotonic()
  let last = 0
  const now = () => {
    last = Math.max(last, Math.floor(monotonic() + offset))
    return last
  }
  return {
    now,
    jumped() {
      const difference = wall() - (monotonic() + offset)
      if (Math.abs(difference) > JUMP_MS) return difference > 0
      offset += difference
      return false
    },
    setRight() {
      offset = wall() - monotonic()
      return now()
    },
  }
}
