/** Axes that cut off nothing. */
import type uPlot from 'uplot'
import { localTime } from '../text/format.ts'
import type { Colours } from './plot.tsx'

const FONT = '11px system-ui, sans-serif'
/** Enough for `-999 Mbit/s`. */
const VALUE_AXIS_SIZE = 76
const TIME_AXIS_SIZE = 26
/** Between two labels, wide enough for `11-22 14:03`. */
const LABEL_SPACE = 84
const [MINUTE, HOUR, DAY] = [60, 3600, 86_400]
/** Seconds between two labels: never less than they can tell apart. */
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 4, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 5, 10, 30, 100].map((days) => days * DAY),
]

export function axes(colours: Colours, write: (value: number) => string): uPlot.Axis[] {
  const both: uPlot.Axis = {
    font: FONT,
    stroke: colours.text,
    grid: { stroke: colours.grid, width: 1 },
    ticks: { show: false },
  }
  return [
    {
      ...both,
      size: TIME_AXIS_SIZE,
      space: LABEL_SPACE,
      incrs: STEPS,
      grid: { show: false },
      values: (_, times) => writeTimes(times),
    },
    { ...both, size: VALUE_AXIS_SIZE, space: 34, values: (_, values) => values.map(write) },
  ]
}

/** The time of day in the viewer's zone; the day as well where there is more than one. */
function writeTimes(times: readonly number[]): string[] {
  const long = (times.at(-1) ?? 0) - (times[0] ?? 0) > DAY
  return times.map((seconds) => localTime(seconds * 1000).slice(long ? 5 : 11, 16))
}
