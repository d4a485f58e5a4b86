/** What only somebody knows who has been there: what the server is, and what was in its slow log before. */
import { type Cell, type Finding, note, plural, quantityText, type Table } from '@fettle/report'
import type { Facts, Live } from '../facts.ts'
import { BETWEEN_USEC } from '../look/look.ts'
import { whoIs } from '../read/clients.ts'
import { type Info, numberOf } from '../read/info.ts'
import { type Settings, slowSeconds } from '../read/settings.ts'
import type { SlowEntry } from '../read/slowlog.ts'
import { callText, seenCall } from '../use/call.ts'

/** Fields of INFO by which forks of Redis tell their own version (valkey 8, dragonfly 1, keydb 6). */
const ENGINES = [
  ['valkey_version', 'Valkey'],
  ['dragonfly_version', 'Dragonfly'],
  ['redis_version', 'Redis'],
] as const

export function serverTable({ live, infos }: Facts): Table[] {
  const info = infos.at(-1)
  if (live === null || info === undefined) return []
  const rows: Cell[][] = [
    ['server', engineOf(info)],
    ['role', roleOf(info)],
    ['runs for', quantityText({ value: numberOf(info, 'uptime_in_seconds') ?? Number.NaN, unit: 's' })],
    ...(Number(info.fields.get('io_threads_active') ?? 0) > 0 ? [['I/O threads', 'yes']] : []),
    ['password', live.isOpen ? 'none is needed' : 'needed'],
  ]
  const columns = [
    { name: 'what', title: 'WHAT' },
    { name: 'value', title: 'IS', flexible: true as const },
  ]
  return [{ name: 'server', title: 'Who answers', columns, rows }]
}

export function engineOf({ fields }: Info): string {
  const [field, name] = ENGINES.find(([one]) => fields.has(one)) ?? ['redis_version', 'Redis']
  const mode = fields.get('redis_mode') ?? fields.get('server_mode') ?? 'standalone'
  return `${name} ${fields.get(field) ?? 'of an unknown version'}${mode === 'standalone' ? '' : `, ${mode}`}`
}

export function roleOf(info: Info): string {
  const role = info.fields.get('role') ?? 'unknown'
  const replicas = numberOf(info, 'connected_slaves') ?? 0
  if (role === 'slave') return `replica of ${info.fields.get('master_host')}:${info.fields.get('master_port')}`
  return replicas === 0 ? role : `${role} of ${plural(replicas, 'replica')}`
}

export function findInLook({ live, settings }: Facts): Finding[] {
  return live === null ? [] : [...restored(live), ...leftOver(settings), ...slowBefore(live, slowIn(live, settings))]
}

function restored({ restored: settings }: Live): Finding[] {
  const says = 'was put back: a look that was killed had left it changed.'
  return settings.map((setting) => note('redis.setting-restored', setting, says))
}

const THRESHOLD = 'slowlog-log-slower-than'

/** Of a look that was killed elsewhere nobody here knows what it was. */
function leftOver(settings: Settings): Finding[] {
  const value = String(BETWEEN_USEC)
  if (settings.get(THRESHOLD) !== value) return []
  const says = 'is as a look leaves it that was killed. What it was stands in the data folder of that look.'
  const remedy = [
    'the same look once more, there; or by hand, to the default: CONFIG SET slowlog-log-slower-than 10000',
  ]
  return [{ ...note('redis.setting-left', `${THRESHOLD} ${value}`, says), severity: 'warning', remedy }]
}

const slowIn = ({ before }: Live, settings: Settings) =>
  before.filter(({ seconds }) => seconds >= slowSeconds(settings))

/** What the slow log kept of the time before: no finding of now, but it tells what happens at other hours. */
function slowBefore({ windows, showKeys }: Live, before: readonly SlowEntry[]): Finding[] {
  if (before.length === 0) return []
  const slowest = before.reduce((a, b) => (b.seconds > a.seconds ? b : a))
  const call = seenCall(slowest, showKeys)
  const gone = windows.length > 0 ? ' Logging every command may have pushed them out: they are in the table.' : ''
  const says = `The slow log had ${before.length === 1 ? 'one entry' : `${before.length} entries`} from before.${gone}`
  const longest = { value: call.seconds, unit: 's' } as const
  const text = `the slowest, ${timeOf(slowest.at)}: ${callText(call)}, ${quantityText(longest)}`
  return [
    {
      ...note('redis.slow-before', '', says),
      quantities: { entries: { value: before.length, unit: '1' }, longest },
      evidence: [{ source: 'SLOWLOG GET', text }],
    },
  ]
}

const timeOf = (seconds: number) => `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`

const ROWS_MAX = 20

/** What the log had before, by command, keys and client. */
export function beforeTable({ live, settings }: Facts): Table[] {
  const before = live === null ? [] : slowIn(live, settings)
  if (live === null || before.length === 0) return []
  const groups = Map.groupBy(before, (entry) => {
    const { command, pattern, client } = seenCall(entry, live.showKeys)
    return JSON.stringify([command, pattern, client])
  })
  const rows = Array.from(groups, ([key, entries]): Cell[] => [
    ...(JSON.parse(key) as string[]),
    { value: entries.length, unit: '1' },
    { value: Math.max(...entries.map(({ seconds }) => seconds)), unit: 's' },
    timeOf(Math.max(...entries.map(({ at }) => at))),
  ])
  const columns = [
    { name: 'command', title: 'COMMAND' },
    { name: 'keys', title: 'KEYS', flexible: true as const },
    { name: 'client', title: 'CLIENT' },
    { name: 'count', title: 'TIMES' },
    { name: 'longest', title: 'LONGEST' },
    { name: 'last', title: 'LAST' },
  ]
  return [{ name: 'slow-before', title: 'In the slow log from before', columns, rows: rows.slice(0, ROWS_MAX) }]
}

/** How many commands each client has sent, where the server counts that (Valkey 8.0 and newer): exactly. */
export function clientsTable({ live, clients }: Facts): Table[] {
  const before = new Map(live?.clientsBefore.map((one) => [one.id, one.totalCommands ?? 0]))
  const told = clients.filter(({ totalCommands, name }) => totalCommands !== null && name !== live?.name)
  if (live === null || told.length === 0) return []
  const sums = new Map<string, number>()
  for (const one of told) {
    const sent = one.totalCommands! - (before.get(one.id) ?? 0)
    sums.set(whoIs(one), (sums.get(whoIs(one)) ?? 0) + sent)
  }
  const rows = Array.from(sums)
    .sort(([, a], [, b]) => b - a)
    .slice(0, ROWS_MAX)
    .map(([who, sent]): Cell[] => [who, { value: sent, unit: '1' }])
  const columns = [
    { name: 'client', title: 'CLIENT', flexible: true as const },
    { name: 'commands', title: 'COMMANDS' },
  ]
  return [{ name: 'clients', title: 'Who has sent how many, of those that are still connected', columns, rows }]
}
