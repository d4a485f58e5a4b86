/** A session's usage over its life: received upwards, sent downwards. */
import type { SessionDetail } from '@fettle/relay/api'
import { useMemo } from 'preact/hooks'
import uPlot from 'uplot'
import { type Bar, BUCKET_MS, barsOf } from '../sessions/timeline.ts'
import { axisSize, plural, size } from '../text/format.ts'
import { Time } from '../text/words.tsx'
import { axes } from './axes.ts'
import { type Colours, Plot } from './plot.tsx'

const HEIGHT = 200
/** A bar fills most of its bucket, but one alone is no wall. */
const FILLED = 0.8
const WIDEST_PIXELS = 40

export function Timeline({ timeline }: { timeline: SessionDetail['timeline'] }) {
  const { bars, widthMs, late } = useMemo(() => barsOf(timeline), [timeline])
  const data = useMemo(() => columnsOf(bars, widthMs), [bars, widthMs])
  return (
    <section class="card" aria-labelledby="timeline-title">
      <header class="bar">
        <h2 id="timeline-title">Timeline</h2>
        <p class="legend">
          <span class="key received">received</span>
          <span class="key sent">sent</span>
          <span class="quiet">client side, a bar is {widthMs / 60_000} minutes</span>
        </p>
      </header>
      {bars.length > 0 ? (
        <Plot label={`Usage over time, ${plural(bars.length, 'bar')}.`} height={HEIGHT} data={data} options={options} />
      ) : (
        <p class="empty">Usage is written when its five minutes are over.</p>
      )}
      {late > 0 && <p class="quiet note">{size(late)} came later or without a time, and are in no bar.</p>}
      {bars.length > 0 && (
        <details>
          <summary>As a table</summary>
          <Figures bars={bars} />
        </details>
      )}
    </section>
  )
}

function Figures({ bars }: { bars: readonly Bar[] }) {
  return (
    <table class="figures">
      <thead>
        <tr>
          <th scope="col">From</th>
          <th scope="col" class="number">
            Received
          </th>
          <th scope="col" class="number">
            Sent
          </th>
        </tr>
      </thead>
      <tbody>
        {bars.map(({ at, received, sent }) => (
          <tr key={at}>
            <th scope="row">
              <Time iso={new Date(at).toISOString()} />
            </th>
            <td class="number">{size(received)}</td>
            <td class="number">{size(sent)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** A bar stands in the middle of its time. */
function columnsOf(bars: readonly Bar[], widthMs: number): uPlot.AlignedData {
  return [
    bars.map(({ at }) => (at + widthMs / 2) / 1000),
    bars.map(({ received }) => received),
    bars.map(({ sent }) => -sent),
  ]
}

function options(colours: Colours): Omit<uPlot.Options, 'width' | 'height'> {
  const paths = uPlot.paths.bars!({ size: [FILLED, WIDEST_PIXELS] })
  const bar = (stroke: string) => ({ stroke, fill: stroke, width: 0, paths, points: { show: false } })
  return {
    legend: { show: false },
    cursor: { show: false },
    padding: [10, 24, 0, 0],
    axes: axes(colours, (value) => axisSize(Math.abs(value))),
    scales: {
      x: { time: true, range: ({ data: [times] }) => spanOf(times) },
      y: { range: (_, min, max) => [Math.min(-1, min * 1.1), Math.max(1, max * 1.1)] },
    },
    series: [{}, bar(colours.received), bar(colours.sent)],
  }
}

/** From the start of the first bar to the end of the last, in seconds. */
function spanOf(middles: ArrayLike<number>): [number, number] {
  const first = middles[0]!
  const half = middles.length > 1 ? (middles[1]! - first) / 2 : BUCKET_MS / 2000
  return [first - half, middles[middles.length - 1]! + half]
}
