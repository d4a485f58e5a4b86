/** Two reports of the same: what changed, whether that is more than noise, which findings went and came. */
import type { Change, Comparison, Quantity } from '@fettle/relay/api'
import { useCallback } from 'preact/hooks'
import type { Api } from '../api.ts'
import { writeRoute } from '../route.ts'
import { Card } from '../text/card.tsx'
import { Fact } from '../text/fact.tsx'
import { printable } from '../text/printable.ts'
import { amount } from '../text/quantity.ts'
import { as } from '../text/roles.ts'
import { Titles } from '../text/titles.tsx'
import { Explained, Nothing, Time } from '../text/words.tsx'
import { useAnswer } from '../use-answer.ts'
import { About } from './about.tsx'
import { Amount } from './amount.tsx'
import { Judged } from './judged.tsx'
import { keptAt } from './kept-at.ts'
import { More, useSome } from './some.tsx'

const FIRST = 100
const numbers = ['Before', 'After', 'Change']
const titles = ['Measure', ...numbers, 'Verdict']

const verdicts: Readonly<Record<Change['verdict'], readonly [word: string, by: string]>> = {
  better: ['better', 'More than noise, and the way that is better.'],
  worse: ['worse', 'More than noise, and the way that is worse.'],
  different: ['different', 'More than noise. Neither way is better.'],
  noise: ['no more than noise', 'The difference is no larger than what the two may be off by.'],
  same: ['the same', 'The same number.'],
  unknown: ['not known how sure', 'At least one of the two does not say how sure it is.'],
}

interface ComparisonPageProps {
  /** Names of reports. */
  readonly before: string
  readonly after: string
  readonly api: Api
}

export function ComparisonPage({ before, after, api }: ComparisonPageProps) {
  const question = useCallback((signal: AbortSignal) => api.comparison(before, after, signal), [api, before, after])
  const [{ value, fault }] = useAnswer(question)
  return (
    <>
      <p class="back">
        <a href={writeRoute({ page: 'report', name: after })}>Report</a>
      </p>
      {fault !== undefined && <p class="card fault">{printable(fault)}</p>}
      {value === undefined && fault === undefined && <p class="empty">Waiting for the meter.</p>}
      {value !== undefined && (
        <>
          <Head comparison={value} before={before} after={after} />
          <Changes changes={value.changes} />
          <Findings title="New" findings={value.come} />
          <Findings title="Gone" findings={value.gone} />
          <Findings title="Still there" findings={value.stayed} />
        </>
      )}
    </>
  )
}

function Head({ comparison, before, after }: { comparison: Comparison; before: string; after: string }) {
  const { tool, subject } = comparison
  return (
    <Card main title={<About tool={tool} subject={subject} />} beside={<p class="quiet">two reports, compared</p>}>
      <dl class="facts">
        <Fact title="Before">
          <Side name={before} at={comparison.before} />
        </Fact>
        <Fact title="After">
          <Side name={after} at={comparison.after} />
        </Fact>
      </dl>
    </Card>
  )
}

/** When it was looked at, else when that was kept. */
function Side({ name, at }: { name: string; at: string | null }) {
  return (
    <a href={writeRoute({ page: 'report', name })}>
      <Time iso={at ?? keptAt(name)} full />
    </a>
  )
}

function Changes({ changes }: { changes: readonly Change[] }) {
  const some = useSome(changes, FIRST)
  if (changes.length === 0) return null
  return (
    <Card title="Measures">
      <table {...as.table} class="figures stacked changes">
        <Titles of={titles} numbers={numbers} />
        <tbody {...as.rows}>
          {some.shown.map((change, i) => (
            <ChangeRow key={i} change={change} />
          ))}
        </tbody>
      </table>
      <More some={some} what="measure" />
    </Card>
  )
}

function ChangeRow({ change: { title, before, after, change, verdict } }: { change: Change }) {
  const [word, by] = verdicts[verdict]
  return (
    <tr {...as.row}>
      <th {...as.name} scope="row">
        {printable(title)}
      </th>
      <td {...as.cell} class="number" data-title="Before">
        <Amount quantity={before} />
      </td>
      <td {...as.cell} class="number" data-title="After">
        <Amount quantity={after} />
      </td>
      <td {...as.cell} class="number" data-title="Change">
        {change === null ? <Nothing /> : signed(change)}
      </td>
      <td {...as.cell} class="verdict">
        <Explained word={word} by={by} tone={verdict} />
      </td>
    </tr>
  )
}

function signed({ value, unit }: Quantity): string {
  const text = amount(value, unit)
  return value > 0 ? `+${text}` : text
}

function Findings({ title, findings }: { title: string; findings: Comparison['come'] }) {
  if (findings.length === 0) return null
  return (
    <>
      <h2 class="group">{title}</h2>
      <Judged findings={findings} brief />
    </>
  )
}
