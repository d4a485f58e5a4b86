import { Component } from 'preact'
import { writeRoute } from '../route.ts'
import { explainClass, explainEnd, explainQuality, qualityWords } from '../text/explain.ts'
import { bitRate, clockDuration, size } from '../text/format.ts'
import { as } from '../text/roles.ts'
import { Elapsed, Explained, Name, Nothing, Time } from '../text/words.tsx'
import { type ColumnKey, columns, openRate, type RowSession } from './arrange.ts'

interface RowProps {
  readonly session: RowSession
  /** The same list for every row, so that it can be compared. */
  readonly shown: readonly ColumnKey[]
}

/** One session. It is drawn again only when something of it has changed: the clock moves by itself. */
export class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    return next.session !== this.props.session || next.shown !== this.props.shown
  }

  override render({ session, shown }: RowProps) {
    return (
      <tr {...as.row} class={session.state === 'open' ? 'open' : 'ended'} data-session={session.id}>
        {shown.map((key) => {
          const title = titles.get(key)
          if (key === 'device') {
            return (
              <th {...as.name} scope="row" key={key} class={key}>
                <a href={writeRoute({ page: 'session', id: session.id })}>
                  <Name text={session.device} />
                </a>
              </th>
            )
          }
          return (
            <td {...as.cell} key={key} class={key} data-title={title}>
              {cells[key](session)}
            </td>
          )
        })}
      </tr>
    )
  }
}

const titles = new Map(columns.map(({ key, title }) => [key, title]))

const cells: Readonly<Record<Exclude<ColumnKey, 'device'>, (session: RowSession) => preact.ComponentChild>> = {
  account: ({ account }) => (account === null ? <Nothing /> : <Name text={account} />),
  realm: ({ realm }) => (realm === '' ? <Nothing /> : <Name text={realm} />),
  server: ({ servers }) => (servers.length === 0 ? <Nothing /> : <Name text={servers.join(', ')} />),
  started: ({ startedAt }) => <Time iso={startedAt} />,
  duration: ({ startedAt, durationSeconds, state }) => {
    if (durationSeconds !== null) return clockDuration(durationSeconds)
    return startedAt === null || state !== 'open' ? <Nothing /> : <Elapsed since={startedAt} />
  },
  class: (session) => <span data-explain={explainClass(session.class)}>{session.class}</span>,
  received: ({ client }) => size(client.receivedBytes),
  receiving: (session) => <Rate bitsPerSecond={openRate(session)?.receivedBitsPerSecond} />,
  sent: ({ client }) => size(client.sentBytes),
  sending: (session) => <Rate bitsPerSecond={openRate(session)?.sentBitsPerSecond} />,
  quality: ({ quality, missing, state }) => (
    <Explained word={qualityWords[quality]} by={explainQuality(quality, missing, state === 'open')} tone={quality} />
  ),
  state: ({ state, end }) => (
    <span class={`dot ${state === 'open' ? 'open' : end}`} data-explain={explainEnd(end, state)}>
      {state === 'open' ? 'open' : end}
    </span>
  ),
}

function Rate({ bitsPerSecond }: { bitsPerSecond: number | undefined }) {
  if (bitsPerSecond === undefined) return <Nothing />
  return <span class={bitsPerSecond === 0 ? 'nothing' : ''}>{bitRate(bitsPerSecond)}</span>
}
