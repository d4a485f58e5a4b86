/** Findings of a report: what is the case, why, what was seen of it, and what to do. */
import type { ReportFinding } from '@fettle/relay/api'
import { printable } from '../text/printable.ts'
import { Amount } from './amount.tsx'
import { More, useSome } from './some.tsx'

const FIRST = 50
const LINES = 20

interface JudgedProps {
  readonly findings: readonly ReportFinding[]
  /** Only what is the case: all else stands elsewhere. */
  readonly brief?: boolean
}

export function Judged({ findings, brief = false }: JudgedProps) {
  const some = useSome(findings, FIRST)
  return (
    <>
      {some.shown.map((finding, i) => (
        // A report never changes, and nothing in it has a name that is surely its own.
        <article key={i} class={`card judged ${finding.severity}`}>
          <h3>
            <span class="severity">{finding.severity}</span>{' '}
            {finding.subject !== '' && (
              <>
                <bdi>{printable(finding.subject)}</bdi>:{' '}
              </>
            )}
            {printable(finding.says)}
          </h3>
          {!brief && <Grounds finding={finding} />}
        </article>
      ))}
      <More some={some} what="finding" />
    </>
  )
}

function Grounds({ finding }: { finding: ReportFinding }) {
  const { cause, confidence, evidence, remedy, undo, quantities } = finding
  const seen = useSome(evidence, LINES)
  const numbers = useSome(Object.entries(quantities), LINES)
  const lines = useSome(remedy, LINES)
  return (
    <>
      {cause !== undefined && (
        <p>
          {confidence !== 'measured' && <span class="quiet">{confidence}: </span>}
          {printable(cause)}
        </p>
      )}
      {remedy.length > 0 && (
        <ul class="remedy" aria-label="What to do">
          {lines.shown.map((line, i) => (
            <li key={i}>{printable(line)}</li>
          ))}
        </ul>
      )}
      <More some={lines} what="line" />
      {undo !== undefined && <p class="quiet">To undo it: {printable(undo)}</p>}
      {evidence.length > 0 && (
        <dl class="evidence" aria-label="What was seen">
          {seen.shown.map(({ source, text }, i) => (
            <div key={i}>
              <dt>{printable(source)}</dt>
              <dd>
                <bdi>{printable(text)}</bdi>
              </dd>
            </div>
          ))}
        </dl>
      )}
      <More some={seen} what="line" />
      {numbers.shown.length > 0 && (
        <dl class="numbers" aria-label="Numbers">
          {numbers.shown.map(([name, quantity]) => (
            <div key={name}>
              <dt>{printable(name)}</dt>
              <dd>
                <Amount quantity={quantity} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      <More some={numbers} what="number" />
    </>
  )
}
