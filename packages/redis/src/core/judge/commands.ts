/** Commands that take most of the time, by what INFO counts of each. */
import { type Finding, quantityText } from '@fettle/report'
import type { Facts } from '../facts.ts'
import { executingSeconds, isContainer, isNoticed, type Load } from '../load.ts'
import type { CommandStats } from '../read/info.ts'
import { isScript } from '../read/monitor.ts'
import { codeFor } from '../use/call.ts'
import { remediesOf } from './remedies.ts'

/** A smaller part of the executing time is nobody's fault. */
const SHARE_MIN = 0.2
/** Whatever takes longer holds up those that wait. */
const EACH_MIN_SECONDS = 1e-3
const NAMED_SHARE = 0.5

/** What the slow log names better is left to that: where it has most of the time, or nobody knows how much. */
export function findCommands({ slow, live }: Facts, load: Load): Finding[] {
  const bySlow = Map.groupBy(slow, ({ words }) => words[0]!.toLowerCase())
  const named = new Set(
    Array.from(bySlow).flatMap(([command, entries]) => {
      const sum = entries.reduce((all, { seconds }) => all + seconds, 0)
      return live === null || sum >= NAMED_SHARE * (load.byCommand.get(command)?.seconds ?? 0) ? command : []
    }),
  )
  return [...heavy(named, load), ...heavyScripts(named, load), ...scanPolling(load)]
}

/** Of all that is executed, by itself, and of the time. */
function isMuch({ calls, seconds }: CommandStats, total: number, load: Load): boolean {
  const each = seconds / calls
  return seconds / total >= SHARE_MIN && each >= EACH_MIN_SECONDS && isNoticed(load, seconds, each)
}

function heavy(named: ReadonlySet<string>, load: Load): Finding[] {
  const total = executingSeconds(load)
  return Array.from(load.byCommand).flatMap(([command, stats]) => {
    if (!isMuch(stats, total, load) || isContainer(command) || named.has(command)) return []
    return heavyFinding(`redis.heavy-${codeFor(command)}`, command, stats, total)
  })
}

/** A script's time holds that of its commands: it is a part of no more than both together. */
function heavyScripts(named: ReadonlySet<string>, load: Load): Finding[] {
  const scripts = Array.from(load.byCommand).filter(([command]) => isScript(command))
  const total = scripts.reduce((sum, [, { seconds }]) => sum + seconds, executingSeconds(load))
  return scripts.flatMap(([command, stats]) => {
    if (!isMuch(stats, total, load) || named.has(command)) return []
    return heavyFinding('redis.heavy-script', command, stats, total)
  })
}

function heavyFinding(
  code: Finding['code'],
  command: string,
  { calls, seconds }: CommandStats,
  total: number,
): Finding {
  const share = { value: seconds / total, unit: 'share' } as const
  const each = { value: seconds / calls, unit: 's' } as const
  const [most, who] = isScript(command)
    ? ['at least ', 'who calls it: SLOWLOG GET']
    : ['', 'who calls it, and with which keys: SLOWLOG GET']
  return {
    code,
    severity: 'fault',
    subject: command.toUpperCase(),
    says:
      `takes ${most}${quantityText(share)} of the time spent on executing: ${quantityText(each)} each, ` +
      'and meanwhile nobody else is served.',
    confidence: 'measured',
    quantities: { share, each, calls: { value: calls, unit: '1' } },
    evidence: [{ source: 'INFO commandstats', text: `${calls} calls, ${quantityText({ value: seconds, unit: 's' })}` }],
    remedy: [...remediesOf(command), who],
  }
}

/** SCAN costs this part of a core: nobody who looks once does so. */
const POLLING_SHARE = 0.1

/** Each SCAN is short, so that no slow log shows it: what costs is that they are so many. */
function scanPolling(load: Load): Finding[] {
  const { calls, seconds } = load.byCommand.get('scan') ?? { calls: 0, seconds: 0 }
  if (calls === 0 || !load.seconds || seconds / calls >= EACH_MIN_SECONDS) return []
  const cost = { value: (seconds + calls * receivingSeconds(load)) / load.seconds, unit: 'share' } as const
  if (cost.value < POLLING_SHARE) return []
  const rate = { value: calls / load.seconds, unit: '/s' } as const
  return [
    {
      code: 'redis.scan-polling',
      severity: 'fault',
      subject: 'SCAN',
      says: `takes ${quantityText(cost)} of a core: ${quantityText(rate)}, each short, again and again over all keys.`,
      cause: 'SCAN looks at every key as KEYS does, a few at a time; a pattern (MATCH) does not spare it one of them.',
      confidence: 'likely',
      quantities: { cost, rate },
      evidence: [
        { source: 'INFO commandstats', text: `${calls} calls, ${quantityText({ value: seconds, unit: 's' })}` },
      ],
      remedy: [
        'keep an index of the names in a set of their own, and read that',
        'ask less often; a larger COUNT (1000) makes it three times cheaper',
      ],
    },
  ]
}

/** CPU of a command beside executing it, on average. */
function receivingSeconds(load: Load): number {
  const { userSeconds, kernelSeconds, commands } = load
  if (userSeconds === null || kernelSeconds === null || commands === 0) return 0
  return Math.max(0, userSeconds + kernelSeconds - executingSeconds(load)) / commands
}
