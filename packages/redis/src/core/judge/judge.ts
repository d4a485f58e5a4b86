/** What burns its CPU, as far as that can be told from what was seen. */
import type { Cell, Column, Finding, Judgement, Table } from '@fettle/report'
import type { Facts } from '../facts.ts'
import { executingSeconds, isContainer, type Load, loadOf } from '../load.ts'
import type { Info } from '../read/info.ts'
import { useOf } from '../use/use.ts'
import { findClients, findRejected } from './clients.ts'
import { findCommands } from './commands.ts'
import { findConditions } from './conditions.ts'
import { beforeTable, clientsTable, findInLook, serverTable } from './live.ts'
import { measuresOf } from './measures.ts'
import { findMemory } from './memory.ts'
import { judgeMonitor } from './monitor.ts'
import { findRequests } from './requests.ts'
import { findSettings } from './settings.ts'
import { findSlow } from './slow.ts'
import { unseenOf } from './unseen.ts'
import { useTable } from './use.ts'
import { findValues } from './values.ts'
import { withCallers, withWho } from './who.ts'

export function judge(facts: Facts): Judgement {
  const load = loadOf(facts)
  const use = 'problem' in load ? undefined : useOf(facts, load)
  const unseen = unseenOf(facts, load, use)
  const slow = findSlow(facts, 'problem' in load ? undefined : load)
  const standing = [...findClients(facts), ...findSettings(facts), ...findInLook(facts)]
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
    tables: [
      ...useTable(use),
      ...commandsTable(facts.infos.at(-1)!, load),
      ...monitor.tables,
      ...clientsTable(facts),
      ...beforeTable(facts),
      ...serverTable(facts),
    ],
    findings: [
      ...slow,
      ...heldUp,
      ...withCallers(findCommands(facts, load), use),
      ...withWho([...findRequests(facts, load), ...findValues(facts, load), ...findMemory(facts, load)], facts, use),
      ...findRejected(facts, load),
      ...findConditions(facts.infos.at(-1)!),
      ...standing,
    ].sort(byWeight),
    unseen,
  }
}

const WEIGHTS: readonly Finding['severity'][] = ['fault', 'warning', 'note']
const byWeight = (a: Finding, b: Finding) => WEIGHTS.indexOf(a.severity) - WEIGHTS.indexOf(b.severity)

const ROWS_MAX = 10

function commandsTable(info: Info, load: Load): Table[] {
  if (load.byCommand.size === 0) return []
  const total = executingSeconds(load)
  const hasSlowest = [...load.byCommand.keys()].some((name) => slowestHundredth(info, name) !== undefined)
  const rows = Array.from(load.byCommand)
    .sort(([, a], [, b]) => b.seconds - a.seconds)
    .slice(0, ROWS_MAX)
    .map(([name, { calls, seconds }]): Cell[] => {
      const usec = slowestHundredth(info, name)
      return [
        name,
        { value: calls, unit: '1' },
        { value: seconds, unit: 's' },
        // A script's time is that of its commands, and counted there.
        isContainer(name) || total === 0 ? null : { value: seconds / total, unit: 'share' },
        { value: seconds / calls, unit: 's' },
        ...(hasSlowest ? [usec === undefined ? null : ({ value: usec / 1e6, unit: 's' } as const)] : []),
      ]
    })
  const columns: Column[] = [
    { name: 'command', title: 'COMMAND', flexible: true },
    { name: 'calls', title: 'CALLS' },
    { name: 'seconds', title: 'EXECUTING' },
    { name: 'share', title: 'SHARE' },
    { name: 'each', title: 'EACH' },
    // INFO tells it since the start only, or since the last CONFIG RESETSTAT.
    ...(hasSlowest ? [{ name: 'p99-since-start', title: 'P99 EVER' }] : []),
  ]
  return [{ name: 'commands', title: 'Time spent on executing, by command', columns, rows }]
}

/** Microseconds that one call in a hundred takes longer than (latencystats, Redis 7.0 and newer). */
function slowestHundredth({ fields }: Info, name: string): number | undefined {
  const text = /(?:^|,)p99=([\d.]+)/.exec(fields.get(`latency_percentiles_usec_${name}`) ?? '')?.[1]
  return text === undefined ? undefined : Number(text)
}
