/** What is written for people: untrusted names made harmless, tables that fit, sizes one can read. */

/**
 * Controls, separators, and what Unicode says has no look of its own: marks that turn the direction of text around,
 * fillers, tags. What joins letters and what makes them emoji (U+200C, U+200D, U+FE0F) stays: names need it.
 */
const UNSAFE = /(?!\u200c|\u200d|\ufe0f)[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{DI}\u2800\ufff9-\ufffb]/gu

/** Most text is ASCII that one sees; to compile what is looked for in other text takes half a millisecond (Node 24). */
const PLAIN = /^[ -~]*$/

/** A name from outside, safe to print: whatever could steer a terminal or hides is shown as its code. */
export function printable(text: string): string {
  if (PLAIN.test(text)) return text
  return text.replaceAll(UNSAFE, (letter) => letter.split('').map(escaped).join(''))
}

const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

/** In a string of JSON an escape is the letter itself, and steers no terminal. */
export function jsonText(value: object): string {
  return JSON.stringify(value, undefined, 2)
    .split('\n')
    .map((line) => `${printable(line)}\n`)
    .join('')
}

/** A whole number as people read it: `1,234,567`. Loading Intl for that would take as long as many a command. */
export const counted = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, ',')

/** `1 line`, `2 lines`. */
export const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

/** Lines of at most `width`, as far as the words allow. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** Bytes in decimal units, as bills count them: `512 B`, `3.10 MB`. */
export function size(bytes: number): string {
  let value = bytes
  let unit = 0
  while (Math.abs(value) >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return unit === 0 ? `${bytes} B` : `${value.toPrecision(3)} ${UNITS[unit]}`
}

/** Seconds as `0.9 s`, `4 min 05 s`, `2 h 03 min`. */
export function duration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  const pad = (value: number) => String(value).padStart(2, '0')
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`
}

export interface TableColumn {
  readonly title: string
  readonly right?: boolean
  /** This column gives way when the table is too wide. */
  readonly flexible?: boolean
}

const FLEXIBLE_MIN = 6

/** Rows under their titles, two blanks between, no wider than `width` as long as the flexible column can give way. */
export function table(columns: readonly TableColumn[], rows: readonly (readonly string[])[], width: number): string {
  const widths = columns.map((column, i) => Math.max(column.title.length, ...rows.map((row) => length(row[i]!))))
  const excess = widths.reduce((a, b) => a + b, 0) + 2 * (columns.length - 1) - width
  const flexible = columns.findIndex((column) => column.flexible)
  if (excess > 0 && flexible >= 0) widths[flexible] = Math.max(FLEXIBLE_MIN, widths[flexible]! - excess)
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => padded(cell, widths[i]!, columns[i]!.right ?? false))
      .join('  ')
      .trimEnd()
  return [columns.map((column) => column.title), ...rows].map((cells) => `${line(cells)}\n`).join('')
}

/** Letters of East Asia and emoji, which take two columns of a terminal (Unicode Standard Annex 11, blocks of them). */
const WIDE_BLOCKS = [
  '\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\ua4cf\\ua960-\\ua97f\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe30-\\ufe6f',
  '\\uff01-\\uff60\\uffe0-\\uffe6\\u{16fe0}-\\u{18dff}\\u{1aff0}-\\u{1b2ff}\\u{1f000}-\\u{1faff}\\u{20000}-\\u{3fffd}',
]
const WIDE = new RegExp(`[${WIDE_BLOCKS.join('')}]`, 'u')
/** Marks on the letter in front of them, and what joins two. */
const NARROW = /[\p{M}\u200c\u200d]/u

const columnsOf = (letter: string) => (NARROW.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1)

function length(text: string): number {
  if (PLAIN.test(text)) return text.length
  return Array.from(text).reduce((sum, letter) => sum + columnsOf(letter), 0)
}

function padded(text: string, width: number, right: boolean): string {
  const shown = shortened(text, width)
  const blanks = ' '.repeat(width - length(shown))
  return right ? blanks + shown : shown + blanks
}

/** Text that takes no more columns than this. */
export const shortened = (text: string, width: number) => (length(text) > width ? `${cut(text, width - 1)}…` : text)

/** As many letters as stand in so many columns. */
function cut(text: string, width: number): string {
  let left = width
  let shown = ''
  for (const letter of text) {
    left -= columnsOf(letter)
    if (left < 0) break
    shown += letter
  }
  return shown
}
