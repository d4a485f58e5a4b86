/** All that is known of one session. */
import type { Session } from '@fettle/relay/api'
import { useCallback, useEffect } from 'preact/hooks'
import type { Api } from '../api.ts'
import { Timeline } from '../chart/timeline.tsx'
import { type Route, writeRoute } from '../route.ts'
import { explainClass, explainEnd, explainQuality, qualityWords } from '../text/explain.ts'
import { Fact } from '../text/fact.tsx'
import { duration, plural, size } from '../text/format.ts'
import { Elapsed, Name, Nothing, Time } from '../text/words.tsx'
import { useAnswer } from '../use-answer.ts'
import { Allocations } from './allocations.tsx'

/** A session that is not final is asked for again. */
const REFRESH_MS = 5000

interface SessionPageProps {
  readonly id: number
  readonly api: Api
  /** Where one goes back to. */
  readonly list: Route
}

export function SessionPage({ id, api, list }: SessionPageProps) {
  const question = useCallback((signal: AbortSignal) => api.session(id, signal), [api, id])
  const [answer, ask] = useAnswer(question)
  const { value, fault } = answer
  useEffect(() => {
    const isWaiting = value === undefined && fault === undefined
    if (isWaiting || value?.session.state === 'final') return
    const timer = setInterval(() => {
      if (document.hidden) return
      // Once: the next wait begins with the answer, however long that takes.
      clearInterval(timer)
      ask()
    }, REFRESH_MS)
    return () => clearInterval(timer)
  }, [answer])
  return (
    <>
      <p class="back">
        <a href={writeRoute(list)}>{list.page === 'live' ? 'Live' : 'Records'}</a>
      </p>
      {fault !== undefined && <p class="card fault">{fault}</p>}
      {value === undefined && fault === undefined && <p class="empty">Waiting for the meter.</p>}
      {value !== undefined && (
        <>
          <Facts session={value.session} />
          <Allocations session={value.session} />
          <Timeline timeline={value.timeline} />
        </>
      )}
    </>
  )
}

function Facts({ session }: { session: Session }) {
  const { account, realm, servers, labels, revision, client } = session
  return (
    <section class="card" aria-labelledby="session-title">
      <header class="bar">
        <h1 id="session-title">
          <Name text={session.device} />
        </h1>
        <p class="quiet">session {session.id}</p>
      </header>
      <dl class="facts">
        <Fact title="Account">{account === null ? <Nothing /> : <Name text={account} />}</Fact>
        <Fact title="Realm">{realm === '' ? <Nothing /> : <Name text={realm} />}</Fact>
        <Fact title="Server">{servers.length === 0 ? <Nothing /> : <Name text={servers.join(', ')} />}</Fact>
        {Object.entries(labels).map(([name, value]) => (
          <Fact key={name} title={name}>
            <Name text={value} />
          </Fact>
        ))}
        <Fact title="Started">
          <Time iso={session.startedAt} full />
        </Fact>
        <Fact title="Ended">{session.state === 'open' ? 'goes on' : <Time iso={session.endedAt} full />}</Fact>
        <Fact title="Duration">
          <Duration session={session} />
        </Fact>
        <Fact title="Relayed">{relayedText(session)}</Fact>
        <Fact title="Received">{size(client.receivedBytes)}</Fact>
        <Fact title="Sent">{size(client.sentBytes)}</Fact>
        {revision > 0 && <Fact title="Corrected">{plural(revision, 'time')} after it was final</Fact>}
      </dl>
      <dl class="meanings">
        <Meaning word={session.state === 'open' ? 'open' : session.end}>
          {explainEnd(session.end, session.state)}
        </Meaning>
        <Meaning word={session.class}>{explainClass(session.class)}</Meaning>
        <Meaning word={qualityWords[session.quality]}>
          {explainQuality(session.quality, session.missing, session.state === 'open')}
        </Meaning>
      </dl>
    </section>
  )
}

function Duration({ session }: { session: Session }) {
  if (session.durationSeconds !== null) return <>{duration(session.durationSeconds)}</>
  if (session.startedAt === null || session.state !== 'open') return <span class="nothing">unknown</span>
  return <Elapsed since={session.startedAt} />
}

function relayedText({ class: kind, state, relaySeconds, relaySecondsMax }: Session): string {
  if (kind === 'unused') return 'nothing'
  if (relaySeconds !== null) return `for ${duration(relaySeconds)}${state === 'open' ? ' so far' : ''}`
  if (state === 'open') return 'goes on'
  return relaySecondsMax === null ? 'for an unknown time' : `for less than ${duration(relaySecondsMax)}`
}

function Meaning({ word, children }: { word: string; children: string }) {
  return (
    <div>
      <dt>{word}</dt>
      <dd>{children}</dd>
    </div>
  )
}
