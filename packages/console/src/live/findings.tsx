/** What is not as it should be, and what to do about it. This is the only part of the page that speaks up by itself. */
import type { Finding } from '@fettle/relay/api'
import { printable } from '../text/printable.ts'
import { Time, useClock } from '../text/words.tsx'
import type { Connection } from './stream.ts'

interface FindingsProps {
  /** Absent while nothing was heard yet, and on the other pages. */
  readonly findings: readonly Finding[] | undefined
  readonly connection: Connection
  tryNow(): void
}

export function Findings({ findings, connection, tryNow }: FindingsProps) {
  const clock = useClock()
  const lost = connection.kind === 'lost'
  return (
    <section class="findings" aria-label="What needs attention" aria-live="polite">
      {lost && (
        <article class="finding problem" data-code="connection">
          <div>
            {connection.since === undefined ? (
              <h2>The meter does not answer</h2>
            ) : (
              <h2>
                The connection to the meter is lost since <Time iso={new Date(clock.now()).toISOString()} />
              </h2>
            )}
            <p>
              {connection.since === undefined ? '' : 'What is shown is as of then. '}
              The page keeps trying; the last time, {printable(connection.why)}.
            </p>
          </div>
          <button type="button" onClick={tryNow}>
            Try now
          </button>
        </article>
      )}
      {findings?.map((finding) => (
        <article key={finding.code + finding.text} class={`finding ${finding.level}`} data-code={finding.code}>
          <div>
            <h2>
              <span class="unseen">{finding.level}: </span>
              {printable(finding.text)}
            </h2>
            <p>{printable(finding.remedy)}</p>
          </div>
        </article>
      ))}
      {!lost && findings?.length === 0 && <p class="well">All is well.</p>}
    </section>
  )
}
