/** Times as logs write them, in milliseconds since the epoch; NaN where a text is none. */

const ISO = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))? ?(Z|[+-]\d\d:?\d\d)?$/

/** ISO 8601, whole to nanoseconds. Without a zone it is this machine's: coturn and syslog write local time. */
export function isoTime(text: string): number {
  // Many lines are of the same second.
  if (text !== last.text) last = { text, t: readIso(text) }
  return last.t
}

let last = { text: '', t: Number.NaN }

function readIso(text: string): number {
  const match = ISO.exec(text)
  if (match === null) return Number.NaN
  const [, year, month, day, hour, minute, second, fraction = '', zone] = match
  const date = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0').slice(0, 3)}`
  return Date.parse(/^[+-]/.test(zone ?? '') ? `${date}${zone!.slice(0, 3)}:${zone!.slice(-2)}` : date + (zone ?? ''))
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const HOUR_MS = 3_600_000

/**
 * `Nov 24 03:00:01` of RFC 3164, which has neither year nor zone: this machine's zone, and the last year in which it
 * was not later than `seenAt`, when the line was there to be read. Clocks that differ by less than an hour are no year.
 */
export function syslogTime(text: string, seenAt: number): number {
  const match = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?$/.exec(text)
  if (match === null || Number.isNaN(seenAt)) return Number.NaN
  const [, name, day, hour, minute, second, fraction = ''] = match
  const month = MONTHS.indexOf(name!)
  const year = new Date(seenAt).getFullYear()
  // The 29th of February comes once in eight years at worst. A year later, since on New Year's Eve clocks differ.
  for (let back = -1; back < 8 && month >= 0; back++) {
    const date = new Date(year - back, month, Number(day), Number(hour), Number(minute), Number(second))
    const t = date.getTime() + Number(fraction.padEnd(3, '0').slice(0, 3))
    if (date.getMonth() === month && t <= seenAt + HOUR_MS) return Math.min(t, seenAt)
  }
  return Number.NaN
}

/**
 * In autumn an hour of local time comes twice, and a text says not which one it means. It was taken for the first one;
 * behind `latest` it is the second.
 */
export function inOrder(t: number, latest: number): number {
  const isBack = t < latest - HOUR_MS / 2 && t > latest - 2 * HOUR_MS
  return isBack && new Date(t).getHours() === new Date(t + HOUR_MS).getHours() ? t + HOUR_MS : t
}
