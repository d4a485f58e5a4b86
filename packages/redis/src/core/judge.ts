/** What burns its CPU, as far as that can be told from what was seen. */
import type { Finding, Judgement, Table } from '@fettle/report'
import type { Facts } from './facts.ts'
import { findClients, findRejected } from './judge-clients.ts'
import { findCommands } from './judge-commands.ts'
import { findConditions } from './judge-conditions.ts'
import { beforeTable, findInLook, serverTable } from './judge-live.ts'
import { findMemory } from './judge-memory.ts'
import { judgeMonitor } from './judge-monitor.ts'
import { findRequests } from './judge-requests.ts'
import { findSettings } from './judge-settings.ts'
import { findSlow } from './judge-slow.ts'
import { useTable, withCallers } from './judge-use.ts'
import { findValues } from './judge-values.ts'
import { withWho } from './judge-who.ts'
import { executingSeconds, isContainer, type Load, loadOf } from './load.ts'
import { measuresOf } from './measures.ts'
import { unseenOf } from './unseen.ts'
import { useOf } from './use.ts'

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
    tables: [...useTable(use), ...commandsTable(load), ...monitor.tables, ...beforeTable(facts), ...serverTable(facts)],
    findings: [
      ...slow,
      ...heldUp,
      ...withCallers(findCommands(facts, load), use),
      ...withWho([...findRequests(facts, load), ...findValues(load), ...findMemory(facts, load)], facts, use),
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
