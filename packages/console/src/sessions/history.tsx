/** The records: all sessions that were ever kept, newest first, a page at a time. */
import type { Session } from '@fettle/relay/api'
import type { Api } from '../api.ts'
import { PagesFoot, usePages } from '../pages.tsx'
import { writeRoute } from '../route.ts'
import { columns, type RowSession } from './arrange.ts'
import { filterNames, questionOf } from './records-query.ts'
import { SessionTable } from './table.tsx'

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
      <Rows key={search} search={search} api={api} />
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

function Rows({ search, api }: { search: string; api: Api }) {
  const pages = usePages((cursor) => async (signal) => {
    const { sessions, next } = await api.sessions(questionOf(search, cursor), signal)
    return { rows: sessions.map(rowOf), next }
  })
  return (
    <>
      {pages.rows.length > 0 && (
        <SessionTable caption="Sessions on record" sessions={pages.rows} columns={shown} shown={keys} />
      )}
      <PagesFoot pages={pages} what="session" none="No record fits." />
    </>
  )
}

function rowOf({ allocations, labels: _labels, key: _key, revision: _revision, ...rest }: Session): RowSession {
  return { ...rest, allocations: allocations.length }
}
