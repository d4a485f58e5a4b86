/** The records: all sessions that were ever kept, newest first, a page at a time. */
import type { Session } from '@fettle/relay/api'
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import type { Api } from '../api.ts'
import { writeRoute } from '../route.ts'
import { plural } from '../text/format.ts'
import { columns, type RowSession } from './arrange.ts'
import { filterNames, questionOf } from './records-query.ts'
import { SessionTable } from './table.tsx'
import { useAnswer } from './use-answer.ts'

const titles: Readonly<Record<(typeof filterNames)[number], string>> = {
  from: 'From',
  to: 'To',
  device: 'Device',
  account: 'Account',
  realm: 'Realm',
  server: 'Server',
}

const shown = columns.filter(({ key }) => key !== 'receiving' && key !== 'sending')
const keys = shown.map(({ key }) => key)

export function HistoryPage({ search, api }: { search: string; api: Api }) {
  return (
    <section class="card" aria-labelledby="history-title">
      <header class="bar">
        <h1 id="history-title">Records</h1>
        <Filters key={search} search={search} />
      </header>
      <Pages key={search} search={search} api={api} />
    </section>
  )
}

/** The filters stand in the address, so that a view can be kept and shared. */
function Filters({ search }: { search: string }) {
  const known = new URLSearchParams(search)
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const next = new URLSearchParams()
    for (const [name, value] of new FormData(event.currentTarget as HTMLFormElement)) {
      if (typeof value === 'string' && value.trim() !== '') next.set(name, value.trim())
    }
    location.hash = writeRoute({ page: 'sessions', search: next.toString() })
  }
  return (
    <form class="tools" onSubmit={submit} aria-label="Which records">
      {filterNames.map((name) => {
        const title = titles[name]
        const field = { class: 'filter', name, defaultValue: known.get(name) ?? '' }
        if (name !== 'from' && name !== 'to') {
          return <input key={name} type="search" placeholder={title} aria-label={title} {...field} />
        }
        return (
          <label key={name} class="quiet">
            {title} <input type="date" {...field} />
          </label>
        )
      })}
      <button type="submit">Show</button>
    </form>
  )
}

function Pages({ search, api }: { search: string; api: Api }) {
  const [before, setBefore] = useState<readonly Session[]>([])
  const [cursor, setCursor] = useState<string>()
  const question = useCallback(
    (signal: AbortSignal) => api.sessions(questionOf(search, cursor), signal),
    [api, search, cursor],
  )
  const [{ value, fault }, ask] = useAnswer(question)
  const [latest, setLatest] = useState(value)
  useEffect(() => setLatest(value), [value])
  const rows = useMemo(() => [...before, ...(latest?.sessions ?? [])].map(rowOf), [before, latest])

  const more = () => {
    if (latest?.next == null) return
    setBefore((known) => [...known, ...latest.sessions])
    setLatest(undefined)
    setCursor(latest.next)
  }
  return (
    <>
      {rows.length > 0 && <SessionTable caption="Sessions on record" sessions={rows} columns={shown} shown={keys} />}
      {fault !== undefined && (
        <p class="fault">
          {fault}{' '}
          <button type="button" onClick={ask}>
            Try again
          </button>
        </p>
      )}
      {latest === undefined && fault === undefined && <p class="empty">Waiting for the meter.</p>}
      {latest !== undefined && (
        <footer class="bar">
          <p class="quiet">{rows.length === 0 ? 'No record fits.' : plural(rows.length, 'session')}</p>
          {latest.next === null ? (
            <p class="quiet">{rows.length === 0 ? '' : 'That is all.'}</p>
          ) : (
            <button type="button" onClick={more}>
              Look further back
            </button>
          )}
        </footer>
      )}
    </>
  )
}

function rowOf({ allocations, labels: _labels, key: _key, revision: _revision, ...rest }: Session): RowSession {
  return { ...rest, allocations: allocations.length }
}
