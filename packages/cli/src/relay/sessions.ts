/** Session records for people. */
import type { Quality, SessionRecord } from '@fettle/relay'
import { duration, printable, size, table } from '@fettle/report'

/** How the quality is said in a table; docs/operating.md explains the words. */
const known: Readonly<Record<Quality, string>> = {
  exact: 'exact',
  lower_bound: 'at least',
  reconstructed: 'rebuilt',
  ambiguous: 'unsure',
}

const columns = [
  { title: 'started (UTC)' },
  { title: 'device', flexible: true },
  { title: 'end' },
  { title: 'relayed', right: true },
  { title: 'received', right: true },
  { title: 'sent', right: true },
  { title: 'known' },
] as const

export function sessionTable(sessions: readonly SessionRecord[], width: number): string {
  const rows = sessions.map((session) => [
    session.startedAt === null ? 'unknown' : session.startedAt.slice(5, 19).replace('T', ' '),
    printable(session.device),
    session.end,
    relayed(session),
    size(session.client.receivedBytes),
    size(session.client.sentBytes),
    known[session.quality],
  ])
  return table(columns, rows, width)
}

function relayed(session: SessionRecord): string {
  if (session.class === 'unused') return 'unused'
  if (session.relaySeconds !== null) return duration(session.relaySeconds)
  return session.relaySecondsMax === null ? 'unknown' : `< ${duration(session.relaySecondsMax)}`
}

/** One session in one line, for the running meter. */
export function sessionLine(session: SessionRecord): string {
  const { receivedBytes, sentBytes } = session.client
  const who = printable(session.account === null ? session.device : `${session.device} (${session.account})`)
  const what = session.class === 'unused' ? 'unused' : `relayed ${relayed(session)}`
  const moved = `in ${size(receivedBytes)}, out ${size(sentBytes)}`
  return `session ${session.id}  ${who}  ${what}  ${moved}  ${session.end}, ${known[session.quality]}\n`
}
