/** What the live page knows. A session that has not changed stays the same object, so that its row is left alone. */
import type { Chart, LiveChange, LiveSession, LiveSnapshot } from '@fettle/relay/api'

export interface LiveState extends Omit<LiveSnapshot, 'sessions'> {
  readonly sessions: ReadonlyMap<number, LiveSession>
}

const CHART_SECONDS = 3600
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
    chart: change.chart === undefined ? state.chart : extend(state.chart, change.chart),
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

/** A report changes the time before it as well: what is new takes the place of the end that is known. */
function extend(known: Chart, end: Chart): Chart {
  const { stepSeconds } = end
  const from = Date.parse(known.from)
  const kept = Math.round((Date.parse(end.from) - from) / 1000 / stepSeconds)
  if (known.stepSeconds !== stepSeconds || kept < 0 || kept > known.received.length) return end
  const excess = Math.max(0, kept + end.received.length - CHART_SECONDS / stepSeconds)
  const both = (before: readonly number[], after: readonly number[]) => [...before.slice(excess, kept), ...after]
  return {
    from: new Date(from + excess * stepSeconds * 1000).toISOString(),
    stepSeconds,
    received: both(known.received, end.received),
    sent: both(known.sent, end.sent),
    receivedAwaited: both(known.receivedAwaited, end.receivedAwaited),
    sentAwaited: both(known.sentAwaited, end.sentAwaited),
  }
}
