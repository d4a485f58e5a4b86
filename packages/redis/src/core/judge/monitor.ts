/** Who asked for what, and how often, in a stretch of MONITOR; and what held the server up in it. */
import { type Cell, type Finding, plural, quantityText, type Table, type Unseen } from '@fettle/report'
import type { Facts } from '../facts.ts'
import { hostOf } from '../read/clients.ts'
import { busyAtMost, type Seen, stampOf } from '../read/monitor.ts'
import { callText, codeFor } from '../use/call.ts'
import { keyOf } from '../use/key.ts'
import { remediesOf } from './remedies.ts'

interface Group {
  readonly command: string
  readonly pattern: string
  readonly client: string
  count: number
  /** Time that only its slow calls can have taken. */
  slowSeconds: number
  slow: number
}

const ROWS_MAX = 10
/** What takes less holds nobody up to speak of. */
const SLOW_SECONDS = 0.005
/** Slow calls that take less of the time than this are nobody's fault. */
const SHARE_MIN = 0.05

export function judgeMonitor(facts: Facts): {
  tables: Table[]
  findings: Finding[]
  unseen: Unseen[]
} {
  const { monitor, infos, clients } = facts
  if (monitor.length === 0) return { tables: [], findings: [], unseen: [] }
  const stamp = stampOf(infos.at(-1)?.fields.get('redis_version'))
  const names = new Map(clients.map(({ address, name }) => [address, name]))
  const stretches = stretchesOf(facts)
  const groups = groupsOf(stretches, stamp, names, facts.live?.showKeys === true)
  const seconds = stretches.reduce((sum, lines) => sum + lines.at(-1)!.at - lines[0]!.at, 0)
  return {
    tables: [tableOf(groups, monitor.length)],
    findings: groups.flatMap((one) => findingOf(one, seconds)),
    unseen: [
      {
        what: 'what the commands of MONITOR cost',
        why: 'it tells how often; and while it runs, clients that wait for an answer ask less often',
      },
      ...(stamp === undefined
        ? [{ what: 'which of them were slow', why: 'that needs the version; paste INFO as well' }]
        : []),
    ],
  }
}

/** What was seen without a pause: between two bursts nobody has looked. */
function stretchesOf({ monitor, live }: Facts): (readonly Seen[])[] {
  if (live === null) return [monitor]
  let end = 0
  return live.bursts.flatMap(({ lines }) => {
    end += lines
    return lines === 0 ? [] : [monitor.slice(end - lines, end)]
  })
}

/** `names`: of the clients, by address; one without a name is known by its host. */
function groupsOf(
  stretches: readonly (readonly Seen[])[],
  stamp: 'start' | 'end' | undefined,
  names: ReadonlyMap<string, string>,
  showKeys: boolean,
): Group[] {
  const busy = stamp === undefined ? [] : stretches.flatMap((lines) => busyAtMost(lines, stamp))
  const groups = new Map<string, Group>()
  for (const [i, { words, client }] of stretches.flat().entries()) {
    const command = words[0]!.toLowerCase()
    const pattern = keyOf(words, showKeys)
    const who = names.get(client) || hostOf(client)
    const key = JSON.stringify([command, pattern, who])
    const group = groups.get(key) ?? { command, pattern, client: who, count: 0, slowSeconds: 0, slow: 0 }
    groups.set(key, group)
    group.count++
    const seconds = busy[i] ?? 0
    if (seconds < SLOW_SECONDS) continue
    group.slow++
    group.slowSeconds += seconds
  }
  return Array.from(groups.values()).sort((a, b) => b.count - a.count)
}

function tableOf(groups: readonly Group[], total: number): Table {
  const rows = groups
    .slice(0, ROWS_MAX)
    .map(({ command, pattern, client, count }): Cell[] => [
      command,
      pattern,
      client,
      { value: count, unit: '1' },
      { value: count / total, unit: 'share' },
    ])
  const columns = [
    { name: 'command', title: 'COMMAND' },
    { name: 'keys', title: 'KEYS', flexible: true as const },
    { name: 'client', title: 'CLIENT' },
    { name: 'calls', title: 'CALLS' },
    { name: 'share', title: 'SHARE' },
  ]
  return { name: 'monitor', title: 'How often, by command, kind of key and client', columns, rows }
}

function findingOf({ command, pattern, client, slow, slowSeconds }: Group, seconds: number): Finding[] {
  if (slow === 0 || slowSeconds / seconds < SHARE_MIN) return []
  const time = { value: slowSeconds, unit: 's' } as const
  const all = { value: seconds, unit: 's' } as const
  return [
    {
      code: `redis.held-up-by-${codeFor(command)}`,
      severity: 'fault',
      subject: callText({ command, pattern, client }),
      says: `held the server up ${plural(slow, 'time')}, for ${quantityText(time)} of ${quantityText(all)} at most.`,
      confidence: 'likely',
      quantities: { heldUp: time, calls: { value: slow, unit: '1' } },
      evidence: [{ source: 'MONITOR', text: 'several clients that had to wait were served at once after it' }],
      remedy: remediesOf(command),
    },
  ]
}
