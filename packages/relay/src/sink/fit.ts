/** Whether a field fits into a column, and how its values are written there: as texts, which databases take exactly. */
import type { Field, Value } from './fields.ts'
import { enumWords, integerMax, isText, isUnsigned, type TableColumn } from './table.ts'

/** The text for the database, or why this value cannot be written. The problem never quotes the value. */
export type Written = { readonly text: string | null } | { readonly problem: string }

export interface Fit {
  /** How it is written, where that is worth a word. */
  readonly note: string
  readonly write: (value: Value) => Written
}

type Fitting = Fit | { readonly problem: string }

/** What a column of numbers must hold at least, so that no real call is too large for it. */
const NEEDED: Readonly<Record<'id' | 'revision' | 'count' | 'packets' | 'bytes' | 'duration', number>> = {
  id: 2 ** 31 - 1,
  revision: 127,
  count: 32_767,
  packets: 2 ** 31 - 1,
  bytes: Number.MAX_SAFE_INTEGER,
  // 97 days.
  duration: 2 ** 23 - 1,
}
const SMALLEST: Readonly<Record<keyof typeof NEEDED, string>> = {
  id: 'INT UNSIGNED or BIGINT',
  revision: 'INT',
  count: 'INT',
  packets: 'INT UNSIGNED or BIGINT',
  bytes: 'BIGINT',
  duration: 'INT or DECIMAL(12,3)',
}

/** Whether the field can be written into the column at all. */
export function fitColumn(column: TableColumn, field: Field): Fitting {
  switch (field.kind) {
    case 'name':
      return fitName(column)
    case 'word':
      return fitWord(column, field)
    case 'time':
      return fitTime(column, field)
    case 'constant':
      return fitConstant(column, field)
    default:
      return fitNumber(column, field.kind)
  }
}

const wrong = (problem: string) => ({ problem })
const written = (text: string): Written => ({ text })

/** null passes: whether the column takes it is another question. */
function fitting(note: string, write: (value: string | number) => Written): Fit {
  return { note, write: (value) => (value === null ? { text: null } : write(value)) }
}

function fitNumber(column: TableColumn, kind: keyof typeof NEEDED): Fitting {
  const max = integerMax(column)
  const isFraction = kind === 'duration'
  if (max !== undefined) {
    if (max < NEEDED[kind]) return wrong(`holds at most ${max}; make it ${SMALLEST[kind]}`)
    const digits = isFraction && column.type === 'decimal' ? Math.min(column.scale ?? 0, 3) : 0
    const note = isFraction ? (digits === 0 ? 'whole seconds, rounded' : `${digits} digits of a second`) : ''
    return fitting(note, (value) => {
      const text = Number(value).toFixed(digits)
      return Number(text) > max ? wrong(`${text} is more than it holds (${max})`) : written(text)
    })
  }
  if (column.type === 'double') return fitting('', (value) => written(String(value)))
  if (column.type === 'float') return wrong('is FLOAT, which rounds; make it DOUBLE or a column of whole numbers')
  if (isText(column)) return fitText(column, '', 16)
  return wrong(`is ${column.type}, which takes no number`)
}

/** Names are as long as whoever hands out credentials makes them: only the one that is too long is in the way. */
function fitName(column: TableColumn): Fitting {
  if (isText(column)) {
    const charset = column.charset?.startsWith('utf8mb4') ? '' : `; those of ${column.charset} only`
    return fitText(column, `at most ${column.letters} letters${charset}`, 1)
  }
  const max = integerMax(column)
  if (max === undefined) return wrong(`is ${column.type}, which takes no text`)
  const min = column.type === 'decimal' || !isUnsigned(column) ? -max - 1 : 0
  return fitting('only names that are numbers', (value) => {
    const text = String(value)
    // A zero in front would be lost, and with it whose row it is.
    if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) return wrong('the name is no number')
    const number = BigInt(text)
    const isIn = number >= BigInt(Math.max(min, -(2 ** 62))) && number <= BigInt(Math.min(max, 2 ** 62))
    return isIn ? written(text) : wrong(`the number is outside of what it holds (${min} to ${max})`)
  })
}

function fitWord(column: TableColumn, { words = [], letters }: Field): Fitting {
  const listed = enumWords(column)
  if (listed !== undefined) {
    const lacking = words.filter((word) => !listed.includes(word))
    if (lacking.length > 0 || words.length === 0) {
      return wrong(words.length === 0 ? 'is ENUM, which takes no id' : `lacks ${lacking.join(', ')}`)
    }
    return fitting('', (value) => written(String(value)))
  }
  if (!isText(column)) return wrong(`is ${column.type}, which takes no text`)
  return fitText(column, '', letters ?? Math.max(...words.map((word) => word.length)))
}

function fitText(column: TableColumn, note: string, needed: number): Fitting {
  const { letters, bytes } = column
  if (letters !== null && letters < needed) return wrong(`holds ${letters} letters; ${needed} are needed`)
  return fitting(note, (value) => {
    const text = String(value)
    const count = Array.from(text).length
    if (letters !== null && count > letters) return wrong(`a text of ${count} letters; it holds ${letters}`)
    // A TEXT is bounded by bytes, whatever its letters take; an empty one says 0 for both.
    const isLong = bytes !== null && column.charset?.startsWith('utf8') && Buffer.byteLength(text) > bytes
    return isLong ? wrong(`a text of ${Buffer.byteLength(text)} bytes; it holds ${bytes}`) : written(text)
  })
}

/** TIMESTAMP ends in 2038 (32 bits of seconds), and begins behind 0. */
const TIMESTAMP_MAX = (2 ** 31 - 1) * 1000

function fitTime(column: TableColumn, { unit }: Field): Fitting {
  const { type } = column
  if (unit === undefined && (type === 'datetime' || type === 'timestamp')) return fitMoment(column)
  if (unit === undefined && isText(column)) {
    const text = fitText(column, 'ISO 8601, UTC', 24)
    if ('problem' in text) return text
    return fitting(text.note, (value) => text.write(new Date(value).toISOString()))
  }
  const max = type === 'double' ? Number.MAX_SAFE_INTEGER : integerMax(column)
  if (max === undefined) return wrong(`is ${type}, which takes no ${unit === undefined ? 'time' : 'number'}`)
  return (unit ?? (type === 'bigint' ? 'ms' : 'seconds')) === 'ms' ? fitMs(max) : fitSeconds(column, max)
}

function fitMoment({ type, fraction }: TableColumn): Fitting {
  const digits = Math.min(fraction ?? 0, 3)
  const end = digits === 0 ? 19 : 20 + digits
  const isShort = type === 'timestamp'
  return fitting(isShort ? 'UTC; until 2038' : 'UTC', (value) => {
    const isIn = !isShort || (Number(value) >= 1000 && Number(value) <= TIMESTAMP_MAX)
    if (!isIn) return wrong('a time that TIMESTAMP does not hold')
    return written(new Date(value).toISOString().replace('T', ' ').slice(0, end))
  })
}

/** The year 2109. */
const MS_NEEDED = 2 ** 42

function fitMs(max: number): Fitting {
  if (max < MS_NEEDED) return wrong(`holds at most ${max}; milliseconds need BIGINT`)
  return fitting('milliseconds since 1970', (value) => written(String(value)))
}

function fitSeconds({ type, scale }: TableColumn, max: number): Fitting {
  if (max < 2 ** 31 - 1) return wrong(`holds at most ${max}; seconds need INT`)
  const digits = type === 'double' ? 3 : type === 'decimal' ? Math.min(scale ?? 0, 3) : 0
  return fitting(`seconds since 1970${max < 2 ** 32 - 1 ? '; until 2038' : ''}`, (value) => {
    const number = floor(Number(value) / 1000, digits)
    return number > max ? wrong('a time later than it holds') : written(number.toFixed(digits))
  })
}

/** A second is over when the next one begins: times are cut, as DATETIME cuts them. */
const floor = (seconds: number, digits: number) => Math.floor(seconds * 10 ** digits) / 10 ** digits

/** Only what is sure to be wrong is found here; what a DATE takes, say, the database knows. */
function fitConstant(column: TableColumn, { constant = '' }: Field): Fitting {
  const text = String(constant)
  const listed = enumWords(column)
  const isNumeric = integerMax(column) !== undefined || /^(double|float)$/.test(column.type)
  if (isText(column)) return fitText(column, '', Array.from(text).length)
  if (listed !== undefined && !listed.includes(text.toLowerCase())) return wrong(`lacks ${text}`)
  if (isNumeric && (text.trim() === '' || !Number.isFinite(Number(text))))
    return wrong(`takes no ${JSON.stringify(text)}`)
  const max = integerMax(column) ?? Number.MAX_VALUE
  if (isNumeric && (Number(text) > max || Number(text) < (isUnsigned(column) ? 0 : -max - 1))) {
    return wrong(`does not hold ${text}`)
  }
  return fitting('', (value) => written(String(value)))
}
