/** The last hour: what came from clients upwards, what went to them downwards. */
import type { Point } from '@fettle/relay/api'
import { useMemo, useState } from 'preact/hooks'
import type uPlot from 'uplot'
import { axisRate, bitRate, localTime } from '../text/format.ts'
import { axes } from './axes.ts'
import { type Colours, Plot } from './plot.tsx'

const HEIGHT = 190
/** A meter that was just started has little to show: it is not squeezed into the edge of an empty hour. */
const SHORTEST_SECONDS = 300

interface Pointed {
  readonly at: number
  readonly received: number
  readonly sent: number
}

export function Throughput({ points }: { points: readonly Point[] }) {
  const data = useMemo(() => columnsOf(points), [points])
  const [pointed, setPointed] = useState<Pointed>()
  const options = useMemo(() => optionsFor(setPointed), [])
  return (
    <section class="card" aria-labelledby="throughput-title">
      <header class="bar">
        <h2 id="throughput-title">Throughput</h2>
        <p class="legend" aria-hidden="true">
          <span class="key received">received{pointed && <b> {bitRate(pointed.received)}</b>}</span>
          <span class="key sent">sent{pointed && <b> {bitRate(pointed.sent)}</b>}</span>
          <span class="quiet">{pointed ? `at ${localTime(pointed.at * 1000).slice(11)}` : 'last hour'}</span>
        </p>
      </header>
      {points.length > 1 ? (
        <Plot label={describe(points)} height={HEIGHT} data={data} options={options} />
      ) : (
        <p class="empty plot">Nothing was measured yet.</p>
      )}
    </section>
  )
}

function columnsOf(points: readonly Point[]): uPlot.AlignedData {
  return [
    points.map(({ at }) => Date.parse(at) / 1000),
    points.map(({ rates }) => rates.receivedBitsPerSecond),
    points.map(({ rates }) => -rates.sentBitsPerSecond),
  ]
}

function describe(points: readonly Point[]): string {
  const most = (of: (point: Point) => number) => bitRate(points.reduce((peak, point) => Math.max(peak, of(point)), 0))
  const received = most(({ rates }) => rates.receivedBitsPerSecond)
  const sent = most(({ rates }) => rates.sentBitsPerSecond)
  return `Throughput of the last hour. Highest: received ${received}, sent ${sent}.`
}

function optionsFor(point: (pointed: Pointed | undefined) => void) {
  return (colours: Colours): Omit<uPlot.Options, 'width' | 'height'> => ({
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    padding: [10, 24, 0, 0],
    axes: axes(colours, (value) => axisRate(Math.abs(value))),
    scales: {
      x: { time: true, range: (_, min, max) => [Math.min(min, max - SHORTEST_SECONDS), max] },
      y: { range: (_, min, max) => [Math.min(-1000, min * 1.1), Math.max(1000, max * 1.1)] },
    },
    series: [{}, line(colours.received), line(colours.sent)],
    hooks: {
      setCursor: [
        ({ cursor, data }) => {
          const i = cursor.left === undefined || cursor.left < 0 ? null : cursor.idx
          if (typeof i !== 'number') return point(undefined)
          point({ at: data[0][i]!, received: data[1]?.[i] ?? 0, sent: -(data[2]?.[i] ?? 0) })
        },
      ],
    },
  })
}

/** The page's colours are written as `#rrggbb`. */
function line(colour: string): uPlot.Series {
  return { stroke: colour, width: 1.5, fill: `${colour}26`, points: { show: false } }
}
