/** All that a kept report says: what is wrong first, then the numbers, then what nobody could see. */
import type { KeptReport, Report } from '@fettle/relay/api'
import { useCallback } from 'preact/hooks'
import type { Api } from '../api.ts'
import { type Route, writeRoute } from '../route.ts'
import { Card } from '../text/card.tsx'
import { Fact } from '../text/fact.tsx'
import { plural } from '../text/format.ts'
import { printable } from '../text/printable.ts'
import { amount } from '../text/quantity.ts'
import { Name, Time } from '../text/words.tsx'
import { useAnswer } from '../use-answer.ts'
import { About } from './about.tsx'
import { Amount } from './amount.tsx'
import { Judged } from './judged.tsx'
import { keptAt } from './kept-at.ts'
import { ReportTable } from './report-table.tsx'
import { More, useSome } from './some.tsx'

const FIRST = 100

interface ReportPageProps {
  readonly name: string
  readonly api: Api
  /** Where one goes back to. */
  readonly list: Route
}

export function ReportPage({ name, api, list }: ReportPageProps) {
  const question = useCallback((signal: AbortSignal) => api.report(name, signal), [api, name])
  const [{ value: report, fault }] = useAnswer(question)
  return (
    <>
      <p class="back">
        <a href={writeRoute(list)}>Reports</a>
      </p>
      {fault !== undefined && <p class="card fault">{fault}</p>}
      {report === undefined && fault === undefined && <p class="empty">Waiting for the meter.</p>}
      {report !== undefined && (
        <>
          <Head name={name} report={report} api={api} />
          <Judged findings={report.findings} />
          <Measures measures={report.measures} />
          {report.tables.map((table, i) => (
            <ReportTable key={i} table={table} />
          ))}
          <Unseen unseen={report.unseen} />
        </>
      )}
    </>
  )
}

function Head({ name, report, api }: { name: string; report: Report; api: Api }) {
  const { tool, subject, at, seconds } = report
  const alike = new URLSearchParams({ tool, subject }).toString()
  return (
    <Card
      main
      title={<About tool={tool} subject={subject} />}
      beside={<p class={isClean(report) ? 'well' : 'quiet'}>{verdictOf(report)}</p>}
    >
      <dl class="facts">
        <Fact title="Kept">
          <Time iso={keptAt(name)} full />
        </Fact>
        {at !== null && (
          <Fact title="Looked at">
            <Time iso={at} full />
          </Fact>
        )}
        {seconds !== null && <Fact title="For">{amount(seconds, 's')}</Fact>}
      </dl>
      <p class="bar ways">
        <Before name={name} report={report} api={api} />
        <a href={writeRoute({ page: 'reports', search: alike })}>All reports of it</a>
      </p>
    </Card>
  )
}

const isClean = ({ findings }: Report) => findings.every(({ severity }) => severity === 'note')

/** As the command line ends a report. */
function verdictOf({ findings }: Report): string {
  const said = (['fault', 'warning'] as const).flatMap((severity) => {
    const count = findings.filter((one) => one.severity === severity).length
    return count === 0 ? [] : [plural(count, severity)]
  })
  return said.length === 0 ? 'No faults or warnings.' : `${said.join(', ')}.`
}

/** The way to what has changed since the latest earlier one of the same. */
function Before({ name, report: { tool, subject }, api }: { name: string; report: Report; api: Api }) {
  const question = useCallback(
    (signal: AbortSignal) => findBefore(api, { tool, subject, cursor: name, limit: '1' }, signal),
    [api, name, tool, subject],
  )
  const [{ value, fault }] = useAnswer(question)
  if (fault !== undefined) return <span class="bad">{fault}</span>
  if (value === undefined) return <span class="quiet">Looking for the one before.</span>
  const [before] = value
  if (before === undefined) return <span class="quiet">No earlier one was kept.</span>
  return <a href={writeRoute({ page: 'comparison', before: before.name, after: name })}>Compare with the one before</a>
}

async function findBefore(
  api: Api,
  asked: Readonly<Record<'tool' | 'subject' | 'cursor' | 'limit', string>>,
  signal: AbortSignal,
): Promise<readonly KeptReport[]> {
  const { reports, next } = await api.reports(new URLSearchParams(asked), signal)
  return reports.length > 0 || next === null ? reports : findBefore(api, { ...asked, cursor: next }, signal)
}

function Measures({ measures }: { measures: Report['measures'] }) {
  const some = useSome(measures, FIRST)
  if (measures.length === 0) return null
  return (
    <Card title="Measures">
      <dl class="facts measures">
        {some.shown.map(({ title, quantity }, i) => (
          <Fact key={i} title={printable(title)}>
            <Amount quantity={quantity} />
          </Fact>
        ))}
      </dl>
      <More some={some} what="measure" />
    </Card>
  )
}

function Unseen({ unseen }: { unseen: Report['unseen'] }) {
  const some = useSome(unseen, FIRST)
  if (unseen.length === 0) return null
  return (
    <Card title="What could not be seen">
      <dl class="evidence">
        {some.shown.map(({ what, why }, i) => (
          <div key={i}>
            <dt>
              <Name text={what} />
            </dt>
            <dd>{printable(why)}</dd>
          </div>
        ))}
      </dl>
      <More some={some} what="line" />
    </Card>
  )
}
