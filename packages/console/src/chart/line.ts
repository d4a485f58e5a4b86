/** The throughput chart as lines to draw. */
import type { Chart } from '@fettle/relay/api'

/**
 * A point of the line is the average of so many seconds. The meter's own steps are finer than a pixel of an hour; where
 * there is less to show they make a saw of a transfer that begins and ends between them.
 */
const POINT_SECONDS = 15
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
  /** The middle of each point, seconds since the epoch. */
  readonly times: readonly number[]
  readonly received: Line
  readonly sent: Line
  /** The first point that is partly estimated; the number of points when none is. */
  readonly provisionalFrom: number
}

export function linesOf(chart: Chart): Lines {
  const points = pointsOf(chart)
  const average = (values: readonly number[]) =>
    points.map(({ first, end }) => values.slice(first, end).reduce((sum, one) => sum + one, 0) / (end - first))
  const [received, sent] = [average(chart.received), average(chart.sent)]
  const [receivedAwaited, sentAwaited] = [average(chart.receivedAwaited), average(chart.sentAwaited)]
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
    times: points.map(({ middle }) => middle),
    received: lineOf(received, receivedAwaited),
    sent: lineOf(sent, sentAwaited),
    provisionalFrom,
  }
}

/** Steps of the meter that make a point. Points begin at the same times always; the newest may be of fewer steps. */
interface Point {
  readonly first: number
  readonly end: number
  /** Seconds since the epoch. */
  readonly middle: number
}

function pointsOf({ from, stepSeconds, received }: Chart): Point[] {
  const began = Date.parse(from) / 1000
  const steps = Map.groupBy(received.keys(), (i) => Math.floor((began + i * stepSeconds) / POINT_SECONDS))
  return Array.from(steps.values(), (of) => {
    const [first, end] = [of[0]!, of[0]! + of.length]
    return { first, end, middle: began + ((first + end) / 2) * stepSeconds }
  })
}
