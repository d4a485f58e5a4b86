/** What is measured each time, with how sure it is where several slices of time tell. */
import { ratioOfSums } from '@fettle/estimate'
import type { Measure, Quantity } from '@fettle/report'
import type { Facts } from '../facts.ts'
import { executingSeconds, type Load, slicesOf } from '../load.ts'
import { type Info, largestDatabase, numberOf } from '../read/info.ts'

/** What one is by the other, each of a load; null: it is not known. */
interface Ratio {
  readonly name: string
  readonly title: string
  readonly unit: Quantity['unit']
  readonly better?: 'less' | 'more'
  readonly of: Part
  readonly by: Part
}
type Part = (load: Load) => number | null

const cpuOf: Part = ({ userSeconds, kernelSeconds }) =>
  userSeconds === null || kernelSeconds === null ? null : userSeconds + kernelSeconds
const commandsOf: Part = ({ commands }) => commands
const secondsOf: Part = ({ seconds }) => seconds

/** Null where others on the machine have taken the CPU from a command while it ran: its time is no CPU then. */
function executingOf(load: Load): number | null {
  const [cpu, seconds] = [cpuOf(load), executingSeconds(load)]
  return cpu === null || load.byCommand.size === 0 || seconds > cpu ? null : seconds
}

function overheadOf(load: Load): number | null {
  const [cpu, executing] = [cpuOf(load), executingOf(load)]
  return cpu === null || executing === null ? null : cpu - executing
}

const RATIOS: readonly Ratio[] = [
  { name: 'rate', title: 'commands a second', unit: '/s', of: commandsOf, by: secondsOf },
  { name: 'cpu', title: 'CPU, of one core', unit: 'share', better: 'less', of: cpuOf, by: secondsOf },
  { name: 'cpu-per-command', title: 'CPU for a command', unit: 's', better: 'less', of: cpuOf, by: commandsOf },
  {
    name: 'overhead',
    title: 'of it to receive and answer',
    unit: 's',
    better: 'less',
    of: overheadOf,
    by: commandsOf,
  },
  {
    name: 'kernel-per-user',
    title: 'kernel CPU to user CPU',
    unit: '1',
    of: ({ kernelSeconds }) => kernelSeconds,
    by: ({ userSeconds }) => userSeconds,
  },
  { name: 'bytes-in', title: 'bytes of a command', unit: 'B', of: ({ bytesIn }) => bytesIn, by: commandsOf },
  { name: 'bytes-out', title: 'bytes of a reply', unit: 'B', of: ({ bytesOut }) => bytesOut, by: commandsOf },
  { name: 'batch', title: 'commands in a batch', unit: '1', of: commandsOf, by: ({ reads }) => reads },
  { name: 'executing', title: 'CPU spent on executing', unit: 'share', of: executingOf, by: cpuOf },
]

export function measuresOf(facts: Facts, load: Load): Measure[] {
  const info = facts.infos.at(-1)!
  const slices = load.over === 'window' ? slicesOf(facts) : []
  const plain = (name: string, title: string, value: number | null | undefined, unit: Quantity['unit']): Measure[] =>
    value === null || value === undefined ? [] : [{ name, title, quantity: { value, unit } }]
  const largest = largestDatabase(info)
  return [
    ...plain('commands', load.over === 'life' ? 'commands since the start' : 'commands', load.commands, '1'),
    ...RATIOS.flatMap((ratio) => measureOf(ratio, load, slices, facts)),
    ...blockedOf(facts, load, slices),
    ...plain('clients', 'clients', clientsOf(facts, info), '1'),
    ...plain('blocked-clients', 'blocked clients', numberOf(info, 'blocked_clients') || null, '1'),
    ...plain('keys', `keys in ${largest?.name ?? 'the database'}`, largest?.keys, '1'),
    ...plain('memory', 'memory', numberOf(info, 'used_memory'), 'B'),
    ...plain('looking', 'what looking took, of one core', lookingOf(load), 'share'),
  ]
}

/** Without ourselves. */
function clientsOf({ live }: Facts, info: Info): number | undefined {
  const all = numberOf(info, 'connected_clients')
  return all === undefined || live === null ? all : Math.max(0, all - 1)
}

function measureOf({ name, title, unit, better, of, by }: Ratio, load: Load, slices: Load[], facts: Facts): Measure[] {
  const value = name === 'rate' ? rateOf(facts, load) : ratio(of(load), by(load))
  if (value === null) return []
  const quantity = { value, unit, ...endsOf(slices.map(of), slices.map(by)) }
  return [{ name, title, quantity, ...(better === undefined ? {} : { better }) }]
}

const ratio = (a: number | null, b: number | null) => (a === null || !b ? null : a / b)

/** Over the window where there is one; else what the server says of the last moments. */
function rateOf({ infos }: Facts, { over, commands, seconds }: Load): number | null {
  if (over === 'window' && seconds) return commands / seconds
  return numberOf(infos.at(-1)!, 'instantaneous_ops_per_sec') ?? (seconds ? commands / seconds : null)
}

/** Nothing where the slices are too few to say how uneven they are. */
function endsOf(above: readonly (number | null)[], below: readonly (number | null)[]): Pick<Quantity, 'low' | 'high'> {
  if ([...above, ...below].some((value) => value === null || !(value >= 0))) return {}
  const interval = ratioOfSums(above as number[], below as number[])
  return interval === undefined || interval.high === Infinity ? {} : { low: interval.low, high: interval.high }
}

/** Of the time, in which a slow command ran and nobody else was served; and the slowest of them. */
function blockedOf({ slow, settings, live }: Facts, { seconds, over }: Load, slices: readonly Load[]): Measure[] {
  const threshold = Number(settings.get('slowlog-log-slower-than') ?? -1)
  if (live === null || over === 'life' || !seconds || threshold <= 0) return []
  const sumOf = (entries: Facts['slow']) => entries.reduce((all, one) => all + one.seconds, 0)
  const sum = sumOf(slow)
  const ends = live.moments.map(({ newest }) => newest)
  const blocked = slices.map((_, i) => sumOf(slow.filter(({ id }) => id > ends[i]! && id <= ends[i + 1]!)))
  const quantity = { value: sum / seconds, unit: 'share' as const }
  const sure = sum === 0 ? { low: 0, high: 0 } : endsOf(blocked, slices.map(secondsOf))
  const longest = Math.max(0, ...slow.map((one) => one.seconds))
  return [
    {
      name: 'blocked',
      title: 'time in slow commands',
      quantity: { ...quantity, ...sure },
      better: 'less',
    },
    ...(longest === 0
      ? []
      : [
          {
            name: 'longest',
            title: 'the slowest command',
            quantity: { value: longest, unit: 's' as const },
            better: 'less' as const,
          },
        ]),
  ]
}

function lookingOf({ ownSeconds, seconds }: Load): number | null {
  return seconds && ownSeconds > 0 ? ownSeconds / seconds : null
}
