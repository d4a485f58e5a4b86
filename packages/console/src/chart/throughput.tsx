/** The last hour: what came from clients upwards, what went to them downwards. */
import type { Chart } from '@fettle/relay/api'
import { useMemo, useState } from 'preact/hooks'
import type uPlot from 'uplot'
import { axisRate, bitRate, localTime } from '../text/format.ts'
import { Explained } from '../text/words.tsx'
import { axes } from './axes.ts'
import { type Line, type Lines, linesOf } from './line.ts'
import { type Colours, Plot } from './plot.tsx'

const HEIGHT = 190
/** A meter that was just started has little to show: it is not squeezed into the edge of an empty hour. */
const SHORTEST_SECONDS = 300
const ABOUT =
  'coturn reports an allocation at every 4096th packet. The bytes of a report are laid out evenly over the time ' +
  'since the one before: the filled area is what was reported. Dashed: reports are still to come; the line is what ' +
  'they will hold if all goes on as in the last ones. A point of the line is the average of 15 seconds.'

export function Throughput({ chart }: { chart: Chart }) {
  const lines = useMemo(() => linesOf(chart), [chart])
  const data = useMemo(() => columnsOf(lines), [lines])
  const [pointed, setPointed] = useState<number>()
  const options = useMemo(() => optionsFor(setPointed), [])
  return (
    <section class="card" aria-labelledby="throughput-title">
      <header class="bar">
        <h2 id="throughput-title">Throughput</h2>
        <Legend lines={lines} pointed={pointed} />
      </header>
      {lines.times.length > 1 ? (
        <Plot label={describe(lines)} height={HEIGHT} data={data} options={options} />
      ) : (
        <p class="empty plot">Nothing was measured yet.</p>
      )}
    </section>
  )
}

/** `pointed`: seconds since the epoch. The chart moves under a pointer that rests: it points to a time. */
function Legend({ lines, pointed }: { lines: Lines; pointed: number | undefined }) {
  const { times, received, sent, provisionalFrom } = lines
  const i = pointed === undefined ? -1 : times.indexOf(pointed)
  return (
    <div class="legend">
      <span class="key received">received{i >= 0 && <b> {bitRate(heightOf(received, i))}</b>}</span>
      <span class="key sent">sent{i >= 0 && <b> {bitRate(heightOf(sent, i))}</b>}</span>
      {i >= 0 ? (
        <span class="quiet at">
          at {localTime(times[i]! * 1000).slice(11)}
          {i >= provisionalFrom && ', estimated'}
        </span>
      ) : (
        <Explained word="last hour" by={ABOUT} tone="quiet" />
      )}
    </div>
  )
}

function heightOf({ known, provisional }: Line, i: number): number {
  return known[i] ?? provisional[i] ?? 0
}

function describe({ times, received, sent }: Lines): string {
  const most = (line: Line) => bitRate(times.reduce((peak, _, i) => Math.max(peak, heightOf(line, i)), 0))
  return `Throughput of the last hour. Highest: received ${most(received)}, sent ${most(sent)}.`
}

function columnsOf({ times, received, sent }: Lines): uPlot.AlignedData {
  const down = (values: readonly (number | null)[]) => values.map((one) => (one === null ? null : -one))
  return [
    [...times],
    ...[received.reported, received.known, received.provisional].map((one) => [...one]),
    ...[sent.reported, sent.known, sent.provisional].map(down),
  ] as uPlot.AlignedData
}

/** Of each direction the first column is an area without a line: nothing is pointed at there. */
const isArea = (column: number) => column % 3 === 1

function optionsFor(point: (seconds: number | undefined) => void) {
  return (colours: Colours): Omit<uPlot.Options, 'width' | 'height'> => ({
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: (_, column) => (isArea(column) ? 0 : 7) },
    },
    padding: [10, 24, 0, 0],
    axes: axes(colours, (value) => axisRate(Math.abs(value))),
    scales: {
      x: { time: true, range: (_, min, max) => [Math.min(min, max - SHORTEST_SECONDS), max] },
      y: { range: (_, min, max) => [Math.min(-1000, min * 1.1), Math.max(1000, max * 1.1)] },
    },
    series: [{}, ...series(colours.received), ...series(colours.sent)],
    hooks: {
      setCursor: [
        ({ cursor, data }) => {
          const isOn = cursor.left !== undefined && cursor.left >= 0 && typeof cursor.idx === 'number'
          point(isOn ? data[0][cursor.idx!] : undefined)
        },
      ],
    },
  })
}

/** The page's colours are written as `#rrggbb`. */
function series(colour: string): uPlot.Series[] {
  const both = { points: { show: false } }
  return [
    { ...both, width: 0, fill: `${colour}26` },
    { ...both, stroke: colour, width: 1.5 },
    { ...both, stroke: colour, width: 1.5, dash: [4, 3] },
  ]
}
