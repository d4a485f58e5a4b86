/** The frame of every page: where one is, whether the meter is heard, what needs attention. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { createApi } from './api.ts'
import { type Clock, createClock } from './live/clock.ts'
import { Findings } from './live/findings.tsx'
import { LivePage } from './live/page.tsx'
import type { Connection } from './live/stream.ts'
import { useLive } from './live/use-live.ts'
import { type Route, readRoute } from './route.ts'
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
  const { route, list, main } = useRoute()
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
        {route.page === 'session' && <SessionPage key={route.id} id={route.id} api={api} list={list} />}
        {route.page === 'sessions' && <HistoryPage search={route.search} api={api} />}
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
 * The page of the address, and the list that one has come from to it. On another page one starts at its beginning, by
 * keyboard too.
 */
function useRoute() {
  const [route, setRoute] = useState<Route>(() => readRoute(location.hash))
  const main = useRef<HTMLElement>(null)
  const first = useRef(true)
  const list = useRef<Route>({ page: 'live' })
  if (route.page !== 'session') list.current = route
  useEffect(() => {
    const look = () => setRoute(readRoute(location.hash))
    addEventListener('hashchange', look)
    return () => removeEventListener('hashchange', look)
  }, [])
  const place = route.page === 'session' ? `${route.page} ${route.id}` : route.page
  useEffect(() => {
    if (!first.current) {
      main.current?.focus({ preventScroll: true })
      scrollTo(0, 0)
    }
    first.current = false
  }, [place])
  return { route, list: list.current, main }
}

/** What needs attention can be seen from another tab. */
function useTitle(route: Route, count: number): void {
  const place = route.page === 'live' ? '' : route.page === 'sessions' ? 'Records, ' : `Session ${route.id}, `
  useEffect(() => {
    document.title = `${count === 0 ? '' : `(${count}) `}${place}fettle`
  }, [place, count])
}
