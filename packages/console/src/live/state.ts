/** What the live page knows. A session that has not changed stays the same object, so that its row is left alone. */
import type { LiveChange, LiveSession, LiveSnapshot } from '@fettle/relay/api'

export interface LiveState extends Omit<LiveSnapshot, 'sessions'> {
  readonly sessions: ReadonlyMap<number, LiveSession>
}

const CHART_MS = 3_600_000
/** Twice what the meter sends at first. Beyond it the ones that ended first are no longer shown. */
const MOST_SESSIONS = 1000

export function begin(snapshot: LiveSnapshot): LiveState {
  return { ...snapshot, sessions: new Map(snapshot.sessions.map((session) => [session.id, session])) }
}

/** A change that is older than what is known, sent again after a reconnection, changes nothing. */
export function apply(state: LiveState, change: LiveChange): LiveState {
  if (change.commit < state.commit) return state
  return {
    commit: change.commit,
    at: change.at,
    totals: change.totals,
    sessions: merge(state.sessions, change),
    servers: change.servers ?? state.servers,
    findings: change.findings ?? state.findings,
    chart: change.point === undefined ? state.chart : extend(state.chart, change.point),
  }
}

function merge(known: LiveState['sessions'], change: LiveChange): LiveState['sessions'] {
  if (change.sessions.length === 0 && change.gone.length === 0) return known
  const sessions = new Map(known)
  for (const session of change.sessions) sessions.set(session.id, session)
  for (const id of change.gone) sessions.delete(id)
  const excess = sessions.size - MOST_SESSIONS
  if (excess > 0) for (const id of firstEnded(sessions, excess)) sessions.delete(id)
  return sessions
}

function firstEnded(sessions: LiveState['sessions'], count: number): number[] {
  const ended = Array.from(sessions.values()).filter((session) => session.state !== 'open')
  const when = (session: LiveSession) => session.endedAt ?? ''
  ended.sort((a, b) => (when(a) < when(b) ? -1 : 1))
  return ended.slice(0, count).map((session) => session.id)
}

function extend(chart: LiveState['chart'], point: LiveState['chart'][number]): LiveState['chart'] {
  const oldest = Date.parse(point.at) - CHART_MS
  const last = chart.at(-1)
  if (last !== undefined && point.at < last.at) return chart
  const before = last?.at === point.at ? chart.slice(0, -1) : chart
  return [...before.filter(({ at }) => Date.parse(at) >= oldest), point]
}
