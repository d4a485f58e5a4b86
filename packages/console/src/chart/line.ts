/** The throughput chart as lines to draw. */
import type { Chart } from '@fettle/relay/api'

/** Where less than this part of the line is estimated, it is as good as known. */
const NEGLIGIBLE = 0.02

/** One direction; null where a line is not drawn. Bits per second. */
export interface Line {
  /** What coturn has reported. */
  readonly reported: readonly number[]
  /** Reported and estimated together: up to where all is reported, and from there on. */
  readonly known: readonly (number | null)[]
  readonly provisional: readonly (number | null)[]
}

export interface Lines {
  /** The middle of each time, seconds since the epoch. */
  readonly times: readonly number[]
  readonly received: Line
  readonly sent: Line
  /** The first time that is partly estimated; the number of times when none is. */
  readonly provisionalFrom: number
}

export function linesOf(chart: Chart): Lines {
  const { received, sent, receivedAwaited, sentAwaited, stepSeconds } = chart
  const began = Date.parse(chart.from) / 1000
  const awaited = receivedAwaited.map((one, i) => one + sentAwaited[i]!)
  const found = awaited.findIndex((one, i) => one > NEGLIGIBLE * (one + received[i]! + sent[i]!))
  const provisionalFrom = found < 0 ? awaited.length : found
  const lineOf = (reported: readonly number[], more: readonly number[]): Line => ({
    reported,
    known: reported.map((one, i) => (i < provisionalFrom ? one + more[i]! : null)),
    // Begins where the other one ends, so that there is no hole between them.
    provisional: reported.map((one, i) => (i < provisionalFrom - 1 ? null : one + more[i]!)),
  })
  return {
    times: received.map((_, i) => began + (i + 0.5) * stepSeconds),
    received: lineOf(received, receivedAwaited),
    sent: lineOf(sent, sentAwaited),
    provisionalFrom,
  }
}
