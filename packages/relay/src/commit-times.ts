/** How long commits take: a histogram, for those who watch the meter. */
import { COMMIT_SECONDS } from './serve/status.ts'

export class CommitTimes {
  count = 0
  sum = 0
  /** Number of commits up to each of `COMMIT_SECONDS`. */
  readonly buckets: number[] = COMMIT_SECONDS.map(() => 0)

  note(seconds: number): void {
    this.count++
    this.sum += seconds
    COMMIT_SECONDS.forEach((bound, i) => {
      if (seconds <= bound) this.buckets[i]!++
    })
  }
}
