/** A session's usage over its life: received upwards, sent downwards. */
import type { SessionDetail } from '@fettle/relay/api'
import { useMemo } from 'preact/hooks'
import uPlot from 'uplot'
import { type Bar, barsOf } from '../sessions/timeline.ts'
import { axisSize, plural, size } from '../text/format.ts'
import { Time } from '../text/words.tsx'
import { axes } from './axes.ts'
import { type Colours, Plot } from './plot.tsx'

const HEIGHT = 200
/** A bar fills most of its bucket. */
const FILLED = 0.8
/** A short session has empty buckets at both sides, so that a bar is as wide as its time and yet no wall. */
const FEWEST_BUCKETS = 12

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
  const beside = Math.max(0, Math.ceil((FEWEST_BUCKETS - bars.length) / 2))
  const first = (bars[0]?.at ?? 0) + widthMs / 2 - beside * widthMs
  const all = Array.from({ length: bars.length + 2 * beside }, (_, i) => bars[i - beside])
  return [
    all.map((_, i) => (first + i * widthMs) / 1000),
    all.map((bar) => bar?.received ?? null),
    all.map((bar) => (bar === undefined ? null : -bar.sent)),
  ]
}

function options(colours: Colours): Omit<uPlot.Options, 'width' | 'height'> {
  const paths = uPlot.paths.bars!({ size: [FILLED] })
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

/** From the start of the first bucket to the end of the last, in seconds. */
function spanOf(middles: ArrayLike<number>): [number, number] {
  const half = (middles[1]! - middles[0]!) / 2
  return [middles[0]! - half, middles[middles.length - 1]! + half]
}
