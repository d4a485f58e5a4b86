/** What could not be seen, and what would show it. */
import { quantityText, type Unseen } from '@fettle/report'
import type { Facts, Live } from '../facts.ts'
import { executingSeconds, isBroken, type Load } from '../load.ts'
import { whyNoWindows } from '../look/look.ts'
import type { Use } from '../use/use.ts'

export function unseenOf(facts: Facts, load: Load | { readonly problem: string }, use: Use | undefined): Unseen[] {
  const { live } = facts
  const refused = refusedIn(live)
  if ('problem' in load) return [...refused, { what: 'the load', why: load.problem }]
  return [
    ...refused,
    ...unseenInInfo(facts, load),
    ...(live === null ? unseenInPaste(facts, load) : [...unseenBySampling(facts, live, use), ...unseenSlow(live)]),
    ...(load.reads === null
      ? [
          {
            what: 'how many commands come in a batch',
            why: 'total_reads_processed is not in INFO (5.0.9 and newer)',
          },
        ]
      : []),
  ]
}

/** What it did not let us see. */
export const refusedIn = (live: Live | null): Unseen[] =>
  live?.refused.map(({ what, why }) => ({ what, why: `the server says: ${why}` })) ?? []

function unseenInInfo({ infos }: Facts, load: Load): Unseen[] {
  return [
    ...(isBroken(infos)
      ? [{ what: 'what lies between the INFOs', why: 'the server was restarted or its counters were reset' }]
      : []),
    ...(load.isReset
      ? [{ what: 'CPU for a command', why: 'CONFIG RESETSTAT has reset the counters and not the CPU' }]
      : []),
    ...(isTaken(load)
      ? [{ what: 'how its CPU divides', why: 'other programs on its machine take the CPU while a command runs' }]
      : []),
  ]
}

/** What INFO tells of a command is time, not CPU. */
function isTaken(load: Load): boolean {
  const { userSeconds, kernelSeconds } = load
  return userSeconds !== null && kernelSeconds !== null && executingSeconds(load) > userSeconds + kernelSeconds
}

function unseenInPaste({ slow }: Facts, load: Load): Unseen[] {
  const long = load.seconds === null ? ', and uptime_in_seconds is not in it' : ''
  const life = `one INFO is an average since the start${long}; paste two, a minute apart`
  return [
    ...(load.byCommand.size === 0
      ? [{ what: 'which commands take the time', why: 'INFO has no commandstats; paste "INFO commandstats" too' }]
      : []),
    ...(slow.length === 0 ? [{ what: 'slow commands', why: 'paste SLOWLOG GET 128 as well' }] : []),
    ...(load.over === 'life' ? [{ what: 'what happens now', why: life }] : []),
  ]
}

/** Less than this is as likely chance, and changes no interval that one would notice. */
const OBSERVER_MIN = 1.2

function unseenBySampling(facts: Facts, live: Live, use: Use | undefined): Unseen[] {
  const what = 'who asks for which keys'
  if (use === undefined) {
    const isTried = live.windows.length > 0
    const why = isTried
      ? 'too little came while it was logged'
      : (whyNoWindows(facts, live) ?? 'ask for it by --sample')
    return [{ what, why }]
  }
  if (use.observer < OBSERVER_MIN) return []
  const off = quantityText({ value: use.observer - 1, unit: 'share' })
  const why = `the windows are ${off} off what INFO counts of each command, and intervals as much wider`
  return [{ what: 'how the mix is when nobody watches', why }]
}

function unseenSlow({ lost }: Live): Unseen[] {
  if (lost === 0) return []
  return [
    {
      what: `${lost} entries of the slow log`,
      why: 'it did not hold them long enough; what is said of slow commands is at least',
    },
  ]
}
