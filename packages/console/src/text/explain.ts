/** What the meter's words mean, in plain sentences: shown where a word is pointed at. */
import type { Allocation, Session } from '@fettle/relay/api'
import { plural, size } from './format.ts'

type Quality = Session['quality']
type End = Session['end']
type Missing = Session['missing']

export const qualityWords: Readonly<Record<Quality, string>> = {
  exact: 'exact',
  lower_bound: 'at least',
  reconstructed: 'rebuilt',
  ambiguous: 'unsure',
}

export function explainQuality(quality: Quality, missing: Missing, isOpen: boolean): string {
  if (quality === 'exact') return 'Right to the byte: coturn’s final totals were heard.'
  if (quality === 'reconstructed') return 'Made whole from a second source.'
  if (quality === 'ambiguous') {
    return 'Do not trust it: two servers used this name at once, or coturn’s totals contradict its reports.'
  }
  const more = explainMissing(missing)
  if (isOpen) return `Still counting. coturn reports every few thousand packets, so what is shown lags behind. ${more}`
  return `coturn’s final totals were not heard. What is shown was relayed for certain. ${more}`
}

function explainMissing({ packets, bytes }: Missing): string {
  if (packets === null) return 'How much is missing cannot be said: events were lost in a gap.'
  const about = bytes === null || bytes === 0 ? '' : ` (about ${size(bytes)})`
  return `At most ${plural(packets, 'packet')} more${about}.`
}

const ends: Readonly<Record<End, string>> = {
  open: 'Something of it is open: it goes on.',
  deleted: 'coturn said that the allocation was deleted: a regular end.',
  expired: 'Neither a refresh nor traffic came until its lifetime ran out: the client went away without a goodbye.',
  restarted: 'coturn was restarted while it was open.',
  superseded: 'The same name was taken by a new allocation.',
}

export function explainEnd(end: End, state: Session['state'] | Allocation['state']): string {
  if (state === 'ended') return `${ends[end]} The session may still go on for a moment.`
  return ends[end]
}

export function explainClass(value: Session['class']): string {
  if (value === 'relayed') return 'At least one allocation carried media or data.'
  return 'At most 65,536 bytes: connectivity checks only. What was to be said went directly, or not at all.'
}

/** Quirks by their code; one that is not known here is shown as it is. */
const quirks: Readonly<Record<string, string>> = {
  'peer-sent-bytes-plus-4':
    'The bytes sent to peers may hold 4 too many for each ChannelData packet (coturn 4.11 and newer).',
}

export function explainQuirk(code: string): string {
  return quirks[code] ?? code
}
