/** Kept reports, newest first, a page at a time. */
import type { KeptReport } from '@fettle/relay/api'
import type { Api } from '../api.ts'
import { PagesFoot, usePages } from '../pages.tsx'
import { writeRoute } from '../route.ts'
import { Card } from '../text/card.tsx'
import { whole } from '../text/format.ts'
import { as } from '../text/roles.ts'
import { Titles } from '../text/titles.tsx'
import { Name, Time } from '../text/words.tsx'

const filterNames = ['tool', 'subject'] as const
const numbers = ['Faults', 'Warnings']
const titles = ['Kept', 'Tool', 'Subject', ...numbers]
const all = writeRoute({ page: 'reports', search: '' })

export function ReportsPage({ search, api }: { search: string; api: Api }) {
  const known = new URLSearchParams(search)
  const filters = filterNames.filter((name) => known.has(name))
  return (
    <Card
      main
      title="Reports"
      beside={
        filters.length > 0 && (
          <p class="quiet only">
            only <Name text={filters.map((name) => known.get(name)).join(' ')} /> <a href={all}>show all</a>
          </p>
        )
      }
    >
      <Rows key={search} search={search} api={api} />
    </Card>
  )
}

function questionOf(search: string, cursor: string | undefined): URLSearchParams {
  const given = new URLSearchParams(search)
  const asked = new URLSearchParams(filterNames.flatMap((name) => (given.has(name) ? [[name, given.get(name)!]] : [])))
  if (cursor !== undefined) asked.set('cursor', cursor)
  return asked
}

function Rows({ search, api }: { search: string; api: Api }) {
  const pages = usePages((cursor) => async (signal) => {
    const { reports, next } = await api.reports(questionOf(search, cursor), signal)
    return { rows: reports, next }
  })
  return (
    <>
      {pages.rows.length > 0 && (
        <table {...as.table} class="figures stacked reports">
          <caption class="unseen">Kept reports</caption>
          <Titles of={titles} numbers={numbers} />
          <tbody {...as.rows}>
            {pages.rows.map((report) => (
              <Row key={report.name} report={report} />
            ))}
          </tbody>
        </table>
      )}
      <PagesFoot pages={pages} what="report" none={<None />} />
    </>
  )
}

function Row({ report: { name, tool, subject, keptAt, faults, warnings } }: { report: KeptReport }) {
  return (
    <tr {...as.row}>
      <th {...as.name} scope="row">
        <a href={writeRoute({ page: 'report', name })}>
          <Time iso={keptAt} />
        </a>
      </th>
      <td {...as.cell} class="tool">
        <Name text={tool} />
      </td>
      <td {...as.cell} class="subject">
        <Name text={subject} />
      </td>
      <td {...as.cell} class="number" data-title="Faults">
        <Count of={faults} tone="bad" />
      </td>
      <td {...as.cell} class="number" data-title="Warnings">
        <Count of={warnings} tone="warning" />
      </td>
    </tr>
  )
}

function Count({ of, tone }: { of: number; tone: string }) {
  return <span class={of === 0 ? 'nothing' : tone}>{whole(of)}</span>
}

function None() {
  return (
    <>
      No report was kept here. <code>fettle redis explain FILE --save</code> keeps one, in the data folder of this meter
      unless <code>--data</code> names another.
    </>
  )
}
