/** What burns its CPU, as far as that can be told from what was seen. */
import type { Finding, Judgement, Measure, Quantity, Table, Unseen } from '@fettle/report'
import type { Facts } from './facts.ts'
import { largestDatabase, numberOf } from './info.ts'
import { findClients } from './judge-clients.ts'
import { findCommands } from './judge-commands.ts'
import { findConditions } from './judge-conditions.ts'
import { findMemory } from './judge-memory.ts'
import { judgeMonitor } from './judge-monitor.ts'
import { findRequests } from './judge-requests.ts'
import { findSettings } from './judge-settings.ts'
import { findSlow } from './judge-slow.ts'
import { findValues } from './judge-values.ts'
import { executingSeconds, isAnother, isContainer, type Load, loadOf } from './load.ts'

export function judge(facts: Facts): Judgement {
  const load = loadOf(facts.infos)
  const unseen = unseenOf(facts, load)
  const slow = findSlow(facts)
  const standing = [...findClients(facts), ...findSettings(facts)]
  const monitor = judgeMonitor(facts)
  // The slow log knows the time of a command, MONITOR only a bound.
  const heldUp = monitor.findings.filter(
    (one) => !slow.some(({ subject }) => one.subject.startsWith(`${subject} from `)),
  )
  unseen.push(...monitor.unseen)
  if ('problem' in load)
    return { measures: [], tables: monitor.tables, findings: [...slow, ...heldUp, ...standing], unseen }
  return {
    measures: measuresOf(facts, load),
    tables: [...commandsTable(load), ...monitor.tables],
    findings: [
      ...slow,
      ...heldUp,
      ...findCommands(facts, load),
      ...findRequests(facts, load),
      ...findValues(load),
      ...findMemory(facts, load),
      ...findConditions(facts.infos.at(-1)!, load),
      ...standing,
    ].sort(byWeight),
    unseen,
  }
}

const WEIGHTS: readonly Finding['severity'][] = ['fault', 'warning', 'note']
const byWeight = (a: Finding, b: Finding) => WEIGHTS.indexOf(a.severity) - WEIGHTS.indexOf(b.severity)

function measuresOf(facts: Facts, load: Load): Measure[] {
  const info = facts.infos.at(-1)!
  const measures: Measure[] = []
  const add = (
    name: string,
    title: string,
    value: number | null | undefined,
    unit: Quantity['unit'],
    better?: 'less',
  ) => {
    if (value === null || value === undefined || !Number.isFinite(value)) return
    measures.push({ name, title, quantity: { value, unit }, ...(better === undefined ? {} : { better }) })
  }
  const { commands, seconds, userSeconds, kernelSeconds, bytesIn, bytesOut, reads } = load
  const cpu = userSeconds === null || kernelSeconds === null ? null : userSeconds + kernelSeconds
  const each = (sum: number | null) => (sum === null || commands === 0 ? null : sum / commands)
  add('commands', load.over === 'life' ? 'commands since the start' : 'commands', commands, '1')
  add('rate', 'commands a second', rateOf(facts, load), '/s')
  add('cpu', 'CPU, of one core', cpu === null || !seconds ? null : cpu / seconds, 'share', 'less')
  add('cpu-per-command', 'CPU for a command', each(cpu), 's', 'less')
  add('kernel-per-user', 'kernel CPU to user CPU', ratio(kernelSeconds, userSeconds), '1')
  add('bytes-in', 'bytes of a command', each(bytesIn), 'B')
  add('bytes-out', 'bytes of a reply', each(bytesOut), 'B')
  add('batch', 'commands in a batch', ratio(commands, reads), '1')
  const isTold = load.byCommand.size > 0
  add('executing', 'CPU spent on executing', isTold && cpu ? executingSeconds(load) / cpu : null, 'share')
  add('clients', 'clients', numberOf(info, 'connected_clients'), '1')
  const largest = largestDatabase(info)
  add('keys', `keys in ${largest?.name ?? 'the database'}`, largest?.keys, '1')
  add('memory', 'memory', numberOf(info, 'used_memory'), 'B')
  return measures
}

const ratio = (a: number | null, b: number | null) => (a === null || !b ? null : a / b)

/** Over the window where there is one; else what the server says of the last moments. */
export function rateOf({ infos }: Facts, { over, commands, seconds }: Load): number | null {
  if (over === 'window' && seconds) return commands / seconds
  return numberOf(infos.at(-1)!, 'instantaneous_ops_per_sec') ?? (seconds ? commands / seconds : null)
}

const ROWS_MAX = 10

function commandsTable(load: Load): Table[] {
  if (load.byCommand.size === 0) return []
  const total = executingSeconds(load)
  const rows = Array.from(load.byCommand)
    .sort(([, a], [, b]) => b.seconds - a.seconds)
    .slice(0, ROWS_MAX)
    .map(([name, { calls, seconds }]) => [
      name,
      { value: calls, unit: '1' } as const,
      { value: seconds, unit: 's' } as const,
      // A script's time is that of its commands, and counted there.
      isContainer(name) || total === 0 ? null : ({ value: seconds / total, unit: 'share' } as const),
      { value: seconds / calls, unit: 's' } as const,
    ])
  const titles = ['COMMAND', 'CALLS', 'EXECUTING', 'SHARE', 'EACH']
  const names = ['command', 'calls', 'seconds', 'share', 'each']
  const columns = names.map((name, i) => ({ name, title: titles[i]!, ...(i === 0 ? { flexible: true as const } : {}) }))
  return [{ name: 'commands', title: 'Time spent on executing, by command', columns, rows }]
}

function unseenOf(facts: Facts, load: Load | { readonly problem: string }): Unseen[] {
  if ('problem' in load) return [{ what: 'the load', why: load.problem }]
  const unseen: Unseen[] = []
  const [first, last] = [facts.infos.at(0)!, facts.infos.at(-1)!]
  if (first !== last && isAnother(first, last)) {
    unseen.push({ what: 'what lies between the two INFOs', why: 'the server was restarted or its counters were reset' })
  }
  if (load.byCommand.size === 0) {
    unseen.push({
      what: 'which commands take the time',
      why: 'INFO has no commandstats; paste "INFO commandstats" too',
    })
  }
  if (facts.slow.length === 0) unseen.push({ what: 'slow commands', why: 'paste SLOWLOG GET 128 as well' })
  if (load.isReset) {
    unseen.push({ what: 'CPU for a command', why: 'CONFIG RESETSTAT has reset the counters and not the CPU' })
  }
  if (load.over === 'life') {
    const long = load.seconds === null ? ', and uptime_in_seconds is not in it' : ''
    unseen.push({
      what: 'what happens now',
      why: `one INFO is an average since the start${long}; paste two, a minute apart`,
    })
  }
  if (load.reads === null) {
    unseen.push({
      what: 'how many commands come in a batch',
      why: 'total_reads_processed is not in INFO (5.0.9 and newer)',
    })
  }
  return unseen
}
