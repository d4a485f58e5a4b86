/** What is written for people: untrusted names made harmless, tables that fit, sizes one can read. */

/**
 * Controls, separators, and what Unicode says has no look of its own: marks that turn the direction of text around,
 * fillers, tags. What joins letters and what makes them emoji (U+200C, U+200D, U+FE0F) stays: names need it.
 */
const UNSAFE = /(?!\u200c|\u200d|\ufe0f)[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{DI}\u2800\ufff9-\ufffb]/gu

/** A name from outside, safe to print: whatever could steer a terminal or hides is shown as its code. */
export function printable(text: string): string {
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

const length = (text: string) => Array.from(text).length

function padded(text: string, width: number, right: boolean): string {
  const letters = Array.from(text)
  const shown = letters.length > width ? [...letters.slice(0, width - 1), '…'] : letters
  const blanks = ' '.repeat(width - shown.length)
  return right ? blanks + shown.join('') : shown.join('') + blanks
}
