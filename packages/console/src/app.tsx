/** The frame of every page: where one is, whether the meter is heard, what needs attention. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { createApi } from './api.ts'
import { type Clock, createClock } from './live/clock.ts'
import { Findings } from './live/findings.tsx'
import { LivePage } from './live/page.tsx'
import type { Connection } from './live/stream.ts'
import { useLive } from './live/use-live.ts'
import { ComparisonPage } from './reports/comparison-page.tsx'
import { ReportPage } from './reports/report-page.tsx'
import { ReportsPage } from './reports/reports-page.tsx'
import { type Route, readRoute, writeRoute } from './route.ts'
import { HistoryPage } from './sessions/history.tsx'
import { firstView } from './sessions/live-sessions.tsx'
import { SessionPage } from './sessions/session-page.tsx'
import { SignIn } from './sign-in.tsx'
import { plural } from './text/format.ts'
import { Tip } from './text/tip.tsx'
import { ClockContext, Time } from './text/words.tsx'
import { forgetToken, keepToken, knownToken } from './token.ts'

interface Entry {
  /** undefined: it has to be asked for. */
  readonly token: string | undefined
  /** The one before was not the meter's. */
  readonly wrong: boolean
}

export function App() {
  // A meter that listens to its own machine only may ask for no token: it is tried without one first.
  const [{ token, wrong }, setEntry] = useState<Entry>(() => ({ token: knownToken() ?? '', wrong: false }))
  const clock = useMemo(createClock, [])
  const refused = useCallback(() => {
    forgetToken()
    setEntry((before) => ({ token: undefined, wrong: before.token !== '' }))
  }, [])
  // A meter's address with a token, put into the address bar of this very page.
  useEffect(() => {
    const look = () => setEntry((before) => ({ ...before, token: knownToken() ?? before.token }))
    addEventListener('hashchange', look)
    return () => removeEventListener('hashchange', look)
  }, [])
  const enter = (given: string) => {
    keepToken(given)
    setEntry({ token: given, wrong: false })
  }
  return (
    <ClockContext.Provider value={clock}>
      {token === undefined ? (
        <SignIn wrong={wrong} enter={enter} />
      ) : (
        <Meter key={token} token={token} clock={clock} refused={refused} />
      )}
      <Tip />
    </ClockContext.Provider>
  )
}

interface MeterProps {
  readonly token: string
  readonly clock: Clock
  refused(): void
}

function Meter({ token, clock, refused }: MeterProps) {
  const live = useLive(token, clock, refused)
  const api = useMemo(() => createApi(token, refused), [token, refused])
  const { route, lists, main } = useRoute()
  const [view, setView] = useState(firstView)
  const lost = live.connection.kind === 'lost'
  const findings = live.state?.findings
  const count = findings?.length ?? 0
  useTitle(route, count + (lost ? 1 : 0))
  return (
    <>
      <header class="top">
        <a class="brand" href="#/live">
          fettle
        </a>
        <nav aria-label="Pages">
          <a href="#/live" aria-current={route.page === 'live' ? 'page' : undefined}>
            Live
            {count > 0 && <span class="count" title={`${plural(count, 'finding')} there`}>{` ${count}`}</span>}
          </a>
          <a href="#/sessions" aria-current={route.page === 'sessions' ? 'page' : undefined}>
            Records
          </a>
          <a href="#/reports" aria-current={route.page === 'reports' ? 'page' : undefined}>
            Reports
          </a>
        </nav>
        <Heard connection={live.connection} at={live.state?.at} />
      </header>
      <main ref={main} tabIndex={-1} class={lost ? 'stale' : ''}>
        <Findings
          findings={route.page === 'live' ? findings : undefined}
          connection={live.connection}
          tryNow={live.tryNow}
        />
        {route.page === 'live' && <LivePage state={live.state} view={view} setView={setView} />}
        {route.page === 'session' && <SessionPage key={route.id} id={route.id} api={api} list={lists.sessions} />}
        {route.page === 'sessions' && <HistoryPage search={route.search} api={api} />}
        {route.page === 'reports' && <ReportsPage search={route.search} api={api} />}
        {route.page === 'report' && <ReportPage key={route.name} name={route.name} api={api} list={lists.reports} />}
        {route.page === 'comparison' && (
          <ComparisonPage key={writeRoute(route)} before={route.before} after={route.after} api={api} />
        )}
      </main>
    </>
  )
}

function Heard({ connection, at }: { connection: Connection; at: string | undefined }) {
  const words = { connecting: 'connecting', live: 'live', lost: 'not connected', refused: 'refused' }
  return (
    <p class={`heard ${connection.kind}`}>
      {words[connection.kind]}
      {connection.kind === 'live' && at !== undefined && (
        <span class="quiet">
          {' '}
          <Time iso={at} />
        </span>
      )}
    </p>
  )
}

/**
 * The page of the address, and the lists that one goes back to from what stands in them. On another page one starts at
 * its beginning, by keyboard too.
 */
function useRoute() {
  const [route, setRoute] = useState<Route>(() => readRoute(location.hash))
  const main = useRef<HTMLElement>(null)
  const first = useRef(true)
  const lists = useRef<{ sessions: Route; reports: Route }>(firstLists)
  if (route.page === 'live' || route.page === 'sessions') lists.current = { ...lists.current, sessions: route }
  if (route.page === 'reports') lists.current = { ...lists.current, reports: route }
  useEffect(() => {
    const look = () => setRoute(readRoute(location.hash))
    addEventListener('hashchange', look)
    return () => removeEventListener('hashchange', look)
  }, [])
  const place = 'search' in route ? route.page : writeRoute(route)
  useEffect(() => {
    if (!first.current) {
      main.current?.focus({ preventScroll: true })
      scrollTo(0, 0)
    }
    first.current = false
  }, [place])
  return { route, lists: lists.current, main }
}

const firstLists = { sessions: { page: 'live' }, reports: { page: 'reports', search: '' } } as const

/** What needs attention can be seen from another tab. */
function useTitle(route: Route, count: number): void {
  const title = `${count === 0 ? '' : `(${count}) `}${placeOf(route)}fettle`
  useEffect(() => {
    document.title = title
  }, [title])
}

function placeOf(route: Route): string {
  const places = {
    live: '',
    sessions: 'Records, ',
    reports: 'Reports, ',
    report: 'Report, ',
    comparison: 'Comparison, ',
  }
  return route.page === 'session' ? `Session ${route.id}, ` : places[route.page]
}
