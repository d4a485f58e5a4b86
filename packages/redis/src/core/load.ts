/** What a Redis has done for others: between two INFOs, or since it was started. */
import type { Facts, Moment } from './facts.ts'
import { nothingOwn, type Own, ownBetween, ownCalls } from './look/own.ts'
import { type CommandStats, type Info, numberOf } from './read/info.ts'
import { isScript } from './read/monitor.ts'

export interface Load {
  /** `window`: between the first and the last INFO; `life`: since the start, or the last CONFIG RESETSTAT. */
  readonly over: 'window' | 'life'
  /** CONFIG RESETSTAT came meanwhile (told by Redis 7.0 and newer): CPU and commands are not of the same time. */
  readonly isReset: boolean
  /** How long that is; null: INFO does not say. */
  readonly seconds: number | null
  readonly commands: number
  readonly connections: number | null
  /**
   * CPU in user and in kernel mode, in seconds: of the thread that executes where INFO tells it apart (6.2 and newer),
   * else of the process; children that save are not in it.
   */
  readonly userSeconds: number | null
  readonly kernelSeconds: number | null
  readonly bytesIn: number | null
  readonly bytesOut: number | null
  /** Reads from sockets (Redis 5.0.9 and newer): commands beside it is how many come in one batch. */
  readonly reads: number | null
  readonly byCommand: ReadonlyMap<string, CommandStats>
  /** Wall time of executing what we ourselves have asked. */
  readonly ownSeconds: number
}

/** Why there is none, or the load. */
export function loadOf({ infos, live }: Facts): Load | { readonly problem: string } {
  const first = infos.at(0)
  const last = infos.at(-1)
  if (first === undefined || last === undefined) return { problem: 'there is no INFO' }
  if (numberOf(last, 'total_commands_processed') === undefined) {
    return { problem: 'INFO has no total_commands_processed; paste its section "Stats" as well' }
  }
  return first === last || isBroken(infos) ? lifeOf(last) : between(first, last, live?.moments)
}

/** The time between each INFO and the next, where nothing was reset in it. */
export function slicesOf({ infos, live }: Facts): Load[] {
  return infos.slice(1).flatMap((info, i) => {
    const before = infos[i]!
    return isAnother(before, info) ? [] : between(before, info, live?.moments.slice(i, i + 2))
  })
}

/** Somewhere between them the server was restarted or its counters were reset. */
export const isBroken = (infos: readonly Info[]) => infos.some((info, i) => i > 0 && isAnother(infos[i - 1]!, info))

/** The second INFO is of another run, or its counters were reset: what lies between cannot be told. */
export function isAnother(first: Info, last: Info): boolean {
  const run = [first, last].map(({ fields }) => fields.get('run_id'))
  if (run[0] !== undefined && run[1] !== undefined && run[0] !== run[1]) return true
  if (callsOf(last, RESET) > callsOf(first, RESET)) return true
  return ['total_commands_processed', 'uptime_in_seconds'].some((name) => {
    const [before, after] = [numberOf(first, name), numberOf(last, name)]
    return before !== undefined && after !== undefined && after < before
  })
}

const RESET = 'config|resetstat'
const callsOf = ({ commands }: Info, name: string) => commands.get(name)?.calls ?? 0

function lifeOf(info: Info): Load {
  const of = (name: string) => numberOf(info, name) ?? null
  const isReset = callsOf(info, RESET) > 0
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
    ownSeconds: 0,
  }
}

function between(first: Info, last: Info, moments?: readonly Moment[]): Load {
  const [began, ended] = [moments?.at(0), moments?.at(-1)]
  const own = began === undefined || ended === undefined ? nothingOwn : ownBetween(began.own, ended.own)
  const since = (...names: readonly string[]) => {
    const name = names.find((one) => numberOf(first, one) !== undefined && numberOf(last, one) !== undefined)
    return name === undefined ? null : numberOf(last, name)! - numberOf(first, name)!
  }
  const less = (value: number | null, ours: number) => (value === null ? null : Math.max(0, value - ours))
  const usec = since('server_time_usec')
  const watched = began === undefined || ended === undefined ? null : ended.at - began.at
  const { byCommand, ownSeconds } = withoutOwn(first, last, own)
  return {
    over: 'window',
    isReset: false,
    seconds: usec === null ? (watched ?? since('uptime_in_seconds')) : usec / 1e6,
    commands: less(since('total_commands_processed'), ownCalls(own))!,
    connections: since('total_connections_received'),
    userSeconds: since('used_cpu_user_main_thread', 'used_cpu_user'),
    kernelSeconds: since('used_cpu_sys_main_thread', 'used_cpu_sys'),
    bytesIn: less(since('total_net_input_bytes'), own.bytesIn),
    bytesOut: less(since('total_net_output_bytes'), own.bytesOut),
    reads: less(since('total_reads_processed'), own.reads),
    byCommand,
    ownSeconds,
  }
}

/** Of a command that others have sent as well, ours are taken to have been like theirs. */
function withoutOwn(first: Info, last: Info, own: Own) {
  const byCommand = new Map<string, CommandStats>()
  let ownSeconds = 0
  for (const [name, { calls, seconds }] of last.commands) {
    const was = first.commands.get(name) ?? { calls: 0, seconds: 0 }
    const all = { calls: calls - was.calls, seconds: seconds - was.seconds }
    if (all.calls <= 0) continue
    const ours = (Math.min(all.calls, own.commands.get(name) ?? 0) / all.calls) * all.seconds
    ownSeconds += ours
    const others = { calls: all.calls - (own.commands.get(name) ?? 0), seconds: all.seconds - ours }
    if (others.calls > 0) byCommand.set(name, others)
  }
  return { byCommand, ownSeconds }
}

/** How much a counter of INFO has grown in the time of the load. */
export function countedIn(infos: readonly Info[], { over }: Load, read: (info: Info) => number): number {
  const last = read(infos.at(-1)!)
  return over === 'window' ? last - read(infos[0]!) : last
}

/** Of the time; and how long one call is that a person notices. */
const NOTICED_SHARE = 0.01
const NOTICED_SECONDS = 0.1

/** Whether so much time in all, or one call that takes so long, holds anybody up to speak of. */
export function isNoticed({ over, seconds }: Load, sum: number, longest: number): boolean {
  // Since the start it may all have been in the same hour.
  if (over === 'life' || !seconds) return true
  return sum / seconds >= NOTICED_SHARE || longest >= NOTICED_SECONDS
}

/** Commands that run others: their time holds that of what they ran, which is counted under its own name as well. */
export const isContainer = (command: string) => command === 'exec' || isScript(command)

/** Wall time of executing, without what is counted twice. */
export function executingSeconds({ byCommand }: Load): number {
  let sum = 0
  for (const [name, { seconds }] of byCommand) if (!isContainer(name)) sum += seconds
  return sum
}
