/** The allocations of a session: the accounts that its sums are made of. */
import type { Allocation, Counters, Session } from '@fettle/relay/api'
import { explainEnd, explainQuality, explainQuirk, qualityWords } from '../text/explain.ts'
import { duration, plural, size, whole } from '../text/format.ts'
import { printable } from '../text/printable.ts'
import { as } from '../text/roles.ts'
import { Titles } from '../text/titles.tsx'
import { Explained, Name, Nothing, Time } from '../text/words.tsx'

const numbers = ['Received', 'Sent']
const titles = [
  ...['Allocation', 'Server', 'Started', 'Ended', 'State', 'Known', 'Transport and addresses', 'Side'],
  ...numbers,
]

export function Allocations({ session }: { session: Session }) {
  return (
    <section class="card" aria-labelledby="allocations-title">
      <header class="bar">
        <h2 id="allocations-title">Allocations</h2>
        <p class="quiet">{plural(session.allocations.length, 'allocation')}</p>
      </header>
      <div class="scroll">
        <table {...as.table} class="figures allocations">
          <Titles of={titles} numbers={numbers} />
          {session.allocations.map((allocation, i) => (
            // An id of coturn repeats between servers and starts; the order does not change.
            <AllocationRows key={i} allocation={allocation} />
          ))}
        </table>
      </div>
    </section>
  )
}

function AllocationRows({ allocation }: { allocation: Allocation }) {
  const { id, username, server, boot, startedAt, startedBefore, endedAt, goodbyeAt, state, end } = allocation
  return (
    <tbody {...as.rows}>
      <tr {...as.row}>
        <th {...as.name} scope="rowgroup" rowSpan={2}>
          <code>{printable(id)}</code>
          <span class="below">
            <Name text={username} />
          </span>
        </th>
        <td {...as.cell} data-title="Server" rowSpan={2}>
          {server === null ? <Nothing /> : <Name text={server} />}
          {boot !== null && <span class="below quiet">start {boot}</span>}
        </td>
        <td {...as.cell} data-title="Started" rowSpan={2}>
          {startedAt === null && startedBefore !== null ? 'before ' : ''}
          <Time iso={startedAt ?? startedBefore} />
        </td>
        <td {...as.cell} data-title="Ended" rowSpan={2}>
          {state === 'open' ? <Nothing /> : <Time iso={endedAt} />}
          {goodbyeAt !== null && (
            <span class="below quiet">
              goodbye <Time iso={goodbyeAt} />
            </span>
          )}
        </td>
        <td {...as.cell} class="state" rowSpan={2}>
          <Explained word={end} by={explainEnd(end, state)} tone={`dot ${end}`} />
          <span class="below quiet">{usedText(allocation)}</span>
        </td>
        <td {...as.cell} data-title="Known" rowSpan={2}>
          <Known allocation={allocation} />
        </td>
        <td {...as.cell} class="addresses" rowSpan={2}>
          <Addresses allocation={allocation} />
        </td>
        <Side name="client" counters={allocation.client} />
      </tr>
      <tr {...as.row}>
        <Side name="peer" counters={allocation.peer} />
      </tr>
    </tbody>
  )
}

function usedText({ carries, relaySeconds, relaySecondsMax }: Allocation): string {
  if (!carries) return 'unused'
  if (relaySeconds !== null) return `relayed ${duration(relaySeconds)}`
  return relaySecondsMax === null ? 'relays' : `relayed < ${duration(relaySecondsMax)}`
}

function Known({ allocation }: { allocation: Allocation }) {
  const { quality, missing, state, unheard, quirks } = allocation
  return (
    <>
      <Explained word={qualityWords[quality]} by={explainQuality(quality, missing, state === 'open')} tone={quality} />
      {unheard.packets > 0 && (
        <span class="below">
          <Explained
            word={`${size(unheard.bytes)} by totals`}
            by={`${plural(unheard.packets, 'packet')} fell into gaps, and are known again from the final totals.`}
          />
        </span>
      )}
      {quirks.map((code) => (
        <span key={code} class="below">
          <Explained word="known fault" by={printable(explainQuirk(code))} />
        </span>
      ))}
    </>
  )
}

function Addresses({ allocation }: { allocation: Allocation }) {
  const { transport, tls, clientAddress, serverAddress, lifetimeSeconds, refreshes } = allocation
  const how = [transport, tls].filter((text) => text !== null).map(printable)
  return (
    <>
      {how.length === 0 ? <Nothing /> : how.join(', ')}
      {clientAddress !== null && (
        <span class="below">
          <span class="quiet">client</span> <code>{printable(clientAddress)}</code>
        </span>
      )}
      {serverAddress !== null && (
        <span class="below">
          <span class="quiet">server</span> <code>{printable(serverAddress)}</code>
        </span>
      )}
      <span class="below quiet">
        {lifetimeSeconds === null ? '' : `lifetime ${whole(lifetimeSeconds)} s, `}
        {refreshes === 1 ? '1 refresh' : `${whole(refreshes)} refreshes`}
      </span>
    </>
  )
}

function Side({ name, counters }: { name: string; counters: Counters | null }) {
  return (
    <>
      <th {...as.name} scope="row">
        {name}
      </th>
      <td {...as.cell} data-title="Received" class="number">
        {counters === null ? (
          <Nothing />
        ) : (
          <Counted bytes={counters.receivedBytes} packets={counters.receivedPackets} />
        )}
      </td>
      <td {...as.cell} data-title="Sent" class="number">
        {counters === null ? <Nothing /> : <Counted bytes={counters.sentBytes} packets={counters.sentPackets} />}
      </td>
    </>
  )
}

function Counted({ bytes, packets }: { bytes: number; packets: number }) {
  return (
    <>
      <span title={`${whole(bytes)} bytes`}>{size(bytes)}</span>
      <span class="below quiet">{plural(packets, 'packet')}</span>
    </>
  )
}
