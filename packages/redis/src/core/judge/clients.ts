/** Clients that cost the server something by what they are, whatever they ask. */
import { type Finding, plural, quantityText } from '@fettle/report'
import type { Facts } from '../facts.ts'
import { countedIn, type Load } from '../load.ts'
import { type Client, isReplica, whoIs } from '../read/clients.ts'
import { type Info, numberOf } from '../read/info.ts'

export function findClients(facts: Facts): Finding[] {
  const { clients, infos } = facts
  return clients.length > 0 ? [...monitorRunning(facts), ...behind(clients)] : someoneBehind(infos.at(-1))
}

/** Between starting MONITOR and asking for the clients people take less than this. */
const PASTING_SECONDS = 60

/** Where what a MONITOR told is there as well, one that is not much older than that is the one who looks. */
function monitorRunning({ clients, monitor }: Facts): Finding[] {
  const own = monitor.length === 0 ? -1 : monitor.at(-1)!.at - monitor[0]!.at + PASTING_SECONDS
  const found = clients.filter(({ flags, ageSeconds }) => flags.includes('O') && ageSeconds > own)
  if (found.length === 0) return []
  const longest = { value: Math.max(...found.map(({ ageSeconds }) => ageSeconds)), unit: 's' } as const
  return [
    {
      code: 'redis.monitor-running',
      severity: 'fault',
      subject: 'MONITOR',
      says: `is running, connected for ${quantityText(longest)}: everything is told to it as well.`,
      cause:
        'Measured on Redis 7.0: a GET takes 41 % more CPU meanwhile, ' +
        'and in batches of sixteen two and a half times as much.',
      confidence: 'measured',
      quantities: { monitors: { value: found.length, unit: '1' }, longest },
      evidence: found.slice(0, EVIDENCE_MAX).map(told),
      remedy: ['if nobody is looking at it any more: CLIENT KILL ADDR with the address'],
    },
  ]
}

const EVIDENCE_MAX = 3
/** Nobody has so much waiting for a moment only: the limit at which Redis warns subscribers by default. */
export const BEHIND_BYTES = 8e6

/** Who does not read what is sent to him. For a replica that loads much has to wait. */
function behind(clients: readonly Client[]): Finding[] {
  const groups = Map.groupBy(
    clients.filter((one) => one.outputBytes >= BEHIND_BYTES && !isReplica(one)),
    whoIs,
  )
  return Array.from(groups, ([who, ones]) => {
    const bytes = { value: ones.reduce((sum, { outputBytes }) => sum + outputBytes, 0), unit: 'B' } as const
    return {
      code: 'redis.client-behind',
      severity: 'warning',
      subject: who,
      says: `does not read what it has asked for: ${quantityText(bytes)} wait for it, in the memory of Redis.`,
      confidence: 'measured',
      quantities: { waiting: bytes, connections: { value: ones.length, unit: '1' } },
      evidence: ones.slice(0, EVIDENCE_MAX).map(told),
      remedy: [
        'see why it does not read; if it is nobody’s: CLIENT KILL ADDR with the address',
        'client-output-buffer-limit cuts such a client off before memory is full',
      ],
    } satisfies Finding
  })
}

/** Replies, in a list of them, that wait for one client. */
const LONG_LIST = 1000

/** Without a list of clients: somebody does not read, says the INFO of versions before 5.0. */
function someoneBehind(info: Info | undefined): Finding[] {
  const length = info === undefined ? 0 : (numberOf(info, 'client_longest_output_list') ?? 0)
  if (length <= LONG_LIST) return []
  return [
    {
      code: 'redis.client-behind',
      severity: 'warning',
      subject: '',
      says: 'A client does not read what it has asked for; its replies fill the memory.',
      confidence: 'measured',
      quantities: {},
      evidence: [{ source: 'INFO', text: `client_longest_output_list:${length}` }],
      remedy: ['find it by CLIENT LIST (omem), and end it by CLIENT KILL ID if it is nobody’s'],
    },
  ]
}

/** More came than it may have. */
export function findRejected({ infos, clients, live }: Facts, load: Load): Finding[] {
  const count = countedIn(infos, load, (info) => numberOf(info, 'rejected_connections') ?? 0)
  if (count <= 0) return []
  const refused = { value: count, unit: '1' } as const
  const others = clients.filter(({ name }) => live === null || name !== live.name)
  const owners = Array.from(Map.groupBy(others, whoIs), ([who, own]) => ({ who, connections: own.length }))
  return [
    {
      code: 'redis.rejecting',
      severity: 'fault',
      subject: '',
      says: `Refused ${plural(count, 'connection')}: there were as many as maxclients allows.`,
      confidence: 'measured',
      quantities: { refused },
      evidence: owners
        .sort((a, b) => b.connections - a.connections)
        .slice(0, EVIDENCE_MAX)
        .map(({ who, connections }) => ({
          source: 'CLIENT LIST',
          text: `${plural(connections, 'connection')} of ${who}`,
        })),
      remedy: [
        'have whoever has most keep fewer: a pool with a limit, connections that are closed after use',
        'if all are needed: CONFIG SET maxclients',
      ],
    },
  ]
}

function told({ address, name, command, ageSeconds, outputBytes }: Client) {
  const text = (value: number, unit: 's' | 'B') => quantityText({ value, unit })
  const known = name === '' ? address : `${name} (${address})`
  return {
    source: 'CLIENT LIST',
    text: `${known}, last command ${command}, ${text(ageSeconds, 's')} old, ${text(outputBytes, 'B')} waiting`,
  }
}
