import { Throughput } from '../chart/throughput.tsx'
import { LiveSessions, type View } from '../sessions/live-sessions.tsx'
import { Servers } from './servers.tsx'
import type { LiveState } from './state.ts'
import { Totals } from './totals.tsx'

interface LivePageProps {
  readonly state: LiveState | undefined
  readonly view: View
  setView(view: View): void
}

export function LivePage({ state, view, setView }: LivePageProps) {
  if (state === undefined) return <p class="empty">Waiting for the meter.</p>
  return (
    <>
      <h1 class="unseen">Live</h1>
      <Totals totals={state.totals} />
      <div class="halves">
        <Throughput chart={state.chart} />
        <Servers servers={state.servers} />
      </div>
      <LiveSessions sessions={state.sessions} open={state.totals.sessions} view={view} setView={setView} />
    </>
  )
}
