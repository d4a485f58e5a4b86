/** What stands in front of a line: when it came, in the form of whichever program stamped it. */

/** Integers, so that the times of all phases add up to the whole exactly. */
export type Microseconds = number

export interface Stamp {
  readonly us: Microseconds
  /** It has no digits behind the second. */
  readonly isWhole: boolean
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
const ZONE = String.raw`(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?`
/** `host ssh[4711]: `, as syslog and the journal have it behind the time. */
const PROGRAM = String.raw`(?:(?:\S+ )?[\w./-]+\[\d+\]: )?`
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const SECOND = 1_000_000
export const DAY: Microseconds = 86_400 * SECOND

const fraction = (digits = '') => Number(digits.padEnd(6, '0').slice(0, 6))

function clock([hours, minutes, seconds, digits]: readonly (string | undefined)[]): Microseconds {
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * SECOND + fraction(digits)
}

/** `fields`: what the groups of the pattern say; the last one but the stream is the fraction. */
function form(name: string, pattern: string, us: (fields: readonly (string | undefined)[]) => Microseconds): StampForm {
  const front = new RegExp(`^ *\\[? *${pattern}\\]?(?: ${PROGRAM}|\\t|$)`)
  return {
    name,
    read(line) {
      const match = front.exec(line)
      if (match === null) return undefined
      const fields = match.slice(1)
      const isOutput = match.groups?.stream === 'OUT'
      return { us: us(fields), isWhole: match.groups?.digits === undefined, end: match[0].length, isOutput }
    },
  }
}

const named = CLOCK.replace(String.raw`(\d{1,9})`, String.raw`(?<digits>\d{1,9})`)
const SECONDS = String.raw`(\d{1,10})(?:\.(?<digits>\d{1,9}))?`

/** The first that fits is the one that is meant. */
export const STAMP_FORMS: readonly StampForm[] = [
  // `   0.020 ERR `: seconds since the start, and which stream it came from.
  form('stream', `${SECONDS} (?<stream>ERR|OUT)`, ([s, digits]) => Number(s) * SECOND + fraction(digits)),
  form('date', String.raw`(\d{4})-(\d\d)-(\d\d)[T ]${named}${ZONE}`, ([year, month, day, ...rest]) => {
    return Date.UTC(Number(year), Number(month) - 1, Number(day)) * 1000 + clock(rest)
  }),
  form('syslog', String.raw`(?:[A-Z][a-z]{2} )?(${MONTHS.join('|')}) +(\d{1,2}) ${named}(?: \d{4})?`, (fields) => {
    const [month = '', day, ...rest] = fields
    return Date.UTC(2000, MONTHS.indexOf(month), Number(day)) * 1000 + clock(rest)
  }),
  form('clock', named, clock),
  // `ts -s %.s`, `ts %.s`, the journal's monotonic time.
  form('seconds', SECONDS, ([s, digits]) => Number(s) * SECOND + fraction(digits)),
]
