import type { Server } from '@fettle/relay/api'
import { plural, whole } from '../text/format.ts'
import { printable } from '../text/printable.ts'
import { Ago, Explained, Name } from '../text/words.tsx'

export function Servers({ servers }: { servers: readonly Server[] }) {
  return (
    <section class="card" aria-labelledby="servers-title">
      <header class="bar">
        <h2 id="servers-title">Servers</h2>
      </header>
      {servers.length === 0 ? (
        <p class="empty">No coturn has reported yet.</p>
      ) : (
        <div class="scroll">
          <table class="figures">
            <thead>
              <tr>
                <th scope="col">Server</th>
                <th scope="col">State</th>
                <th scope="col">Last event</th>
                <th scope="col" class="number">
                  Open
                </th>
                <th scope="col" class="number">
                  Gaps today
                </th>
              </tr>
            </thead>
            <tbody>
              {servers.map((server) => (
                <ServerRow key={server.name} server={server} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

function ServerRow({ server }: { server: Server }) {
  const { name, version, connected, lastEventAt, allocations, gapsToday, shared, malformed } = server
  return (
    <tr>
      <th scope="row">
        <Name text={name} />
        {version !== null && <span class="quiet version"> {printable(version)}</span>}
      </th>
      <td>
        <Explained
          word={connected ? 'connected' : 'not connected'}
          by={explainServer(server)}
          tone={`dot ${connected ? 'open' : 'away'}`}
        />
        {shared && <span class="warning"> shared line</span>}
        {malformed > 0 && <span class="warning"> {whole(malformed)} malformed</span>}
      </td>
      <td>{lastEventAt === null ? <span class="nothing">none yet</span> : <Ago iso={lastEventAt} />}</td>
      <td class="number">{whole(allocations)}</td>
      <td class="number">{gapsToday === 0 ? '0' : <span class="warning">{whole(gapsToday)}</span>}</td>
    </tr>
  )
}

const HEARD = 'Coturns report to this Redis, and the meter hears them there. It cannot tell them apart.'
const NOT_HEARD = 'The meter cannot reach this Redis, or is not let in: what coturns report there now is missed.'
const READ = 'A log that coturn writes; the meter reads it as it grows.'
const NOT_READ =
  'The meter cannot read this log now. What is written there meanwhile is read later, if it is still there.'

function explainServer({ kind, connected, connections, boot, shared, malformed }: Server): string {
  if (kind === 'redis') return connected ? HEARD : NOT_HEARD
  if (kind === 'log') return connected ? READ : NOT_READ
  const parts = [
    connected
      ? `It holds ${plural(connections, 'connection')}.`
      : 'It holds no connection: it is down, cannot reach the meter, or its redis-statsdb line is not this meter’s.',
    `${plural(boot, 'start')} of it ${boot === 1 ? 'was' : 'were'} heard of.`,
  ]
  if (shared) parts.push('Its line seems to be in use by two coturns: give each its own.')
  if (malformed > 0) parts.push(`${plural(malformed, 'event')} could not be read, and counted for nothing.`)
  return parts.join(' ')
}
