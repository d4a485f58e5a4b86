/** Commands that take most of the time, by what INFO counts of each. */
import { type Finding, quantityText } from '@fettle/report'
import type { Facts } from './facts.ts'
import { executingSeconds, isContainer, type Load } from './load.ts'
import { remediesOf } from './remedies.ts'

/** A smaller part of the executing time is nobody's fault. */
const SHARE_MIN = 0.2
/** Whatever takes longer holds up those that wait. */
const EACH_MIN_SECONDS = 1e-3

/** What the slow log names better is left to that. */
export function findCommands({ slow }: Facts, load: Load): Finding[] {
  const named = new Set(slow.map(({ words }) => words[0]!.toLowerCase()))
  const total = executingSeconds(load)
  return Array.from(load.byCommand).flatMap(([command, { calls, seconds }]) => {
    const isMuch = seconds / total >= SHARE_MIN && seconds / calls >= EACH_MIN_SECONDS
    if (!isMuch || isContainer(command) || named.has(command)) return []
    const share = { value: seconds / total, unit: 'share' } as const
    const each = { value: seconds / calls, unit: 's' } as const
    return {
      code: `redis.heavy-${/^[a-z]+$/.test(command) ? command : 'command'}`,
      severity: 'fault',
      subject: command.toUpperCase(),
      says:
        `takes ${quantityText(share)} of the time spent on executing: ${quantityText(each)} each, ` +
        'and meanwhile nobody else is served.',
      confidence: 'measured',
      quantities: { share, each, calls: { value: calls, unit: '1' } },
      evidence: [
        { source: 'INFO commandstats', text: `${calls} calls, ${quantityText({ value: seconds, unit: 's' })}` },
      ],
      remedy: [...remediesOf(command), 'who calls it, and with which keys: SLOWLOG GET'],
    } satisfies Finding
  })
}
