/** What a Redis has done: between two INFOs, or since it was started. */
import { type CommandStats, type Info, numberOf } from './info.ts'

export interface Load {
  /** `window`: between the first and the last INFO; `life`: since the start, or the last CONFIG RESETSTAT. */
  readonly over: 'window' | 'life'
  /** CONFIG RESETSTAT came meanwhile (told by Redis 7.0 and newer): CPU and commands are not of the same time. */
  readonly isReset: boolean
  /** How long that is; null: INFO does not say. */
  readonly seconds: number | null
  readonly commands: number
  readonly connections: number | null
  /** CPU of the process in user and in kernel mode, in seconds; children that save are not in it. */
  readonly userSeconds: number | null
  readonly kernelSeconds: number | null
  readonly bytesIn: number | null
  readonly bytesOut: number | null
  /** Reads from sockets (Redis 5.0.9 and newer): commands beside it is how many come in one batch. */
  readonly reads: number | null
  readonly byCommand: ReadonlyMap<string, CommandStats>
}

/** Why there is none, or the load. */
export function loadOf(infos: readonly Info[]): Load | { readonly problem: string } {
  const first = infos.at(0)
  const last = infos.at(-1)
  if (first === undefined || last === undefined) return { problem: 'there is no INFO' }
  if (numberOf(last, 'total_commands_processed') === undefined) {
    return { problem: 'INFO has no total_commands_processed; paste its section "Stats" as well' }
  }
  return first === last || isAnother(first, last) ? lifeOf(last) : windowOf(first, last)
}

/** The second INFO is of another run, or its counters were reset: what lies between cannot be told. */
export function isAnother(first: Info, last: Info): boolean {
  const run = [first, last].map(({ fields }) => fields.get('run_id'))
  if (run[0] !== undefined && run[1] !== undefined && run[0] !== run[1]) return true
  return ['total_commands_processed', 'uptime_in_seconds'].some((name) => {
    const [before, after] = [numberOf(first, name), numberOf(last, name)]
    return before !== undefined && after !== undefined && after < before
  })
}

function lifeOf(info: Info): Load {
  const of = (name: string) => numberOf(info, name) ?? null
  const isReset = info.commands.has('config|resetstat')
  return {
    over: 'life',
    isReset,
    seconds: of('uptime_in_seconds'),
    commands: numberOf(info, 'total_commands_processed')!,
    connections: of('total_connections_received'),
    userSeconds: isReset ? null : of('used_cpu_user'),
    kernelSeconds: isReset ? null : of('used_cpu_sys'),
    bytesIn: of('total_net_input_bytes'),
    bytesOut: of('total_net_output_bytes'),
    reads: of('total_reads_processed'),
    byCommand: info.commands,
  }
}

function windowOf(first: Info, last: Info): Load {
  const before = lifeOf(first)
  const after = lifeOf(last)
  const since = (a: number | null, b: number | null) => (a === null || b === null ? null : b - a)
  return {
    over: 'window',
    isReset: false,
    seconds: since(before.seconds, after.seconds),
    commands: after.commands - before.commands,
    connections: since(before.connections, after.connections),
    userSeconds: since(numberOf(first, 'used_cpu_user') ?? null, numberOf(last, 'used_cpu_user') ?? null),
    kernelSeconds: since(numberOf(first, 'used_cpu_sys') ?? null, numberOf(last, 'used_cpu_sys') ?? null),
    bytesIn: since(before.bytesIn, after.bytesIn),
    bytesOut: since(before.bytesOut, after.bytesOut),
    reads: since(before.reads, after.reads),
    byCommand: new Map(
      Array.from(after.byCommand, ([name, { calls, seconds }]) => {
        const was = before.byCommand.get(name) ?? { calls: 0, seconds: 0 }
        return [name, { calls: calls - was.calls, seconds: seconds - was.seconds }] as const
      }).filter(([, { calls }]) => calls > 0),
    ),
  }
}

/** How much a counter of INFO has grown in the time of the load. */
export function countedIn(infos: readonly Info[], { over }: Load, read: (info: Info) => number): number {
  const last = read(infos.at(-1)!)
  return over === 'window' ? last - read(infos[0]!) : last
}

/** Commands that run others: their time holds that of what they ran, which is counted under its own name as well. */
const CONTAINERS: ReadonlySet<string> = new Set([
  'eval',
  'evalsha',
  'eval_ro',
  'evalsha_ro',
  'fcall',
  'fcall_ro',
  'exec',
])

export const isContainer = (command: string) => CONTAINERS.has(command)

/** Wall time of executing, without what is counted twice. */
export function executingSeconds({ byCommand }: Load): number {
  let sum = 0
  for (const [name, { seconds }] of byCommand) if (!isContainer(name)) sum += seconds
  return sum
}
