/** What stands in front of a line: when it came, in the form of whichever program stamped it. */

/** Integers, so that the times of all phases add up to the whole exactly. */
export type Microseconds = number

export interface Stamp {
  readonly us: Microseconds
  /** It tells more than the second. */
  readonly hasFraction: boolean
  /** Where the line itself begins. */
  readonly end: number
  /** Standard output, where the recorder tells. */
  readonly isOutput: boolean
}

/** How one program writes stamps. A day that is not told is day 0. */
export interface StampForm {
  readonly name: string
  read(line: string): Stamp | undefined
}

const CLOCK = String.raw`(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,9}))?`
const SECONDS = String.raw`(\d{1,10})(?:\.(\d{1,9}))?`
const ZONE = String.raw`(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?`
/** `host ssh[4711]: `, as syslog and the journal have it behind the time. */
const PROGRAM = String.raw`(?:(?:\S+ )?[\w./-]+\[\d+\]: )?`
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const SECOND = 1_000_000
export const DAY: Microseconds = 86_400 * SECOND

type Text = string | undefined

const time = (seconds: Text, fraction: Text = ''): Microseconds =>
  Number(seconds) * SECOND + Number(fraction.padEnd(6, '0').slice(0, 6))

const clock = (hours: Text, minutes: Text, seconds: Text, fraction: Text): Microseconds =>
  (Number(hours) * 60 + Number(minutes)) * 60 * SECOND + time(seconds, fraction)

const STREAM = '(ERR|OUT)'

/** `us`: from what the groups of the pattern say. The last one is the fraction, but for that of the stream. */
function form(name: string, pattern: string, us: (...groups: Text[]) => Microseconds): StampForm {
  const fractionAt = pattern.endsWith(STREAM) ? -2 : -1
  const front = new RegExp(`^ *\\[? *${pattern}\\]?(?: ${PROGRAM}|\\t|$)`)
  return {
    name,
    read(line) {
      const match = front.exec(line)
      if (match === null) return undefined
      const [whole, ...groups] = match
      const hasFraction = groups.at(fractionAt) !== undefined
      return { us: us(...groups), hasFraction, end: whole.length, isOutput: groups.at(-1) === 'OUT' }
    },
  }
}

/** The first that fits is the one that is meant. */
export const STAMP_FORMS: readonly StampForm[] = [
  // `   0.020 ERR `: seconds since the start, and which stream it came from.
  form('stream', `${SECONDS} ${STREAM}`, time),
  form(
    'date',
    String.raw`(\d{4})-(\d\d)-(\d\d)[T ]${CLOCK}${ZONE}`,
    (year, month, day, ...rest) =>
      Date.UTC(Number(year), Number(month) - 1, Number(day)) * 1000 + clock(rest[0], rest[1], rest[2], rest[3]),
  ),
  form(
    'syslog',
    String.raw`(?:[A-Z][a-z]{2} )?(${MONTHS.join('|')}) +(\d{1,2}) ${CLOCK}(?: \d{4})?`,
    (month = '', day, ...rest) =>
      Date.UTC(2000, MONTHS.indexOf(month), Number(day)) * 1000 + clock(rest[0], rest[1], rest[2], rest[3]),
  ),
  form('clock', CLOCK, clock),
  // `ts -s %.s`, `ts %.s`, the journal's monotonic time.
  form('seconds', SECONDS, time),
]
