/** Values that are so big that moving them is what costs. */
import { type Finding, quantityText } from '@fettle/report'
import type { Facts } from '../facts.ts'
import { countedIn, type Load } from '../load.ts'
import { refusedInAll } from '../read/info.ts'

/** More than this for a command is no small value any more, however many small ones there are beside it. */
const BIG_BYTES = 10_000
/** Less than this is no load for any network. */
const MUCH_BYTES_A_SECOND = 5e6

export function findValues({ infos }: Facts, load: Load): Finding[] {
  const { seconds, bytesIn, bytesOut } = load
  // What was refused has come in as well, but was no command that was processed.
  const commands = load.commands + countedIn(infos, load, refusedInAll)
  if (commands === 0 || !seconds) return []
  const ways = [
    { bytes: bytesIn ?? 0, says: 'A command', come: 'come in' },
    { bytes: bytesOut ?? 0, says: 'A reply', come: 'go out' },
  ].filter(({ bytes }) => bytes / commands >= BIG_BYTES && bytes / seconds >= MUCH_BYTES_A_SECOND)
  if (ways.length === 0) return []
  const each = (bytes: number) => quantityText({ value: bytes / commands, unit: 'B' })
  const rate = (bytes: number) => quantityText({ value: bytes / seconds, unit: 'B/s' })
  return [
    {
      code: 'redis.big-values',
      severity: 'warning',
      subject: '',
      says: ways
        .map(({ bytes, says, come }) => `${says} has ${each(bytes)} on average: ${rate(bytes)} ${come}.`)
        .join(' '),
      cause: 'Redis copies each of them in one go, and meanwhile nobody else is served; the network takes the rest.',
      confidence: 'measured',
      quantities: {
        bytesIn: { value: (bytesIn ?? 0) / commands, unit: 'B' },
        bytesOut: { value: (bytesOut ?? 0) / commands, unit: 'B' },
      },
      evidence: [
        { source: 'INFO', text: `total_net_input_bytes ${bytesIn ?? 'unknown'} in ${commands} commands` },
        { source: 'INFO', text: `total_net_output_bytes ${bytesOut ?? 'unknown'} in ${commands} commands` },
      ],
      remedy: [
        'find the keys: redis-cli --bigkeys, on a replica if there is one',
        'keep the parts as fields of a hash and ask for what is needed; or compress them; or store them elsewhere',
      ],
    },
  ]
}
