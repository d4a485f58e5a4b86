/** Numbers and times as people read them. */

const BYTES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
const BITS = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s']

/** Scales by 1000 to the unit in which the number is below 999.5, so that rounding never shows a fourth digit. */
function scaled(value: number, units: readonly string[]): readonly [number, string] {
  let scaledValue = value
  let unit = 0
  while (Math.abs(scaledValue) >= 999.5 && unit < units.length - 1) {
    scaledValue /= 1000
    unit++
  }
  return [scaledValue, units[unit]!]
}

/** Bytes in decimal units, as bills count them: `512 B`, `3.10 MB`. */
export function size(bytes: number): string {
  const [value, unit] = scaled(bytes, BYTES)
  return unit === 'B' ? `${bytes} B` : `${value.toPrecision(3)} ${unit}`
}

/** `0 bit/s`, `850 bit/s`, `1.2 Mbit/s`, `34 Mbit/s`. */
export function bitRate(bitsPerSecond: number): string {
  const [value, unit] = scaled(bitsPerSecond, BITS)
  return unit === 'bit/s' || Math.abs(value) >= 9.95 ? `${Math.round(value)} ${unit}` : `${value.toFixed(1)} ${unit}`
}

/** As on an axis: no more digits than the number has. */
export function axisRate(bitsPerSecond: number): string {
  const [value, unit] = scaled(bitsPerSecond, BITS)
  return `${Number(value.toPrecision(3))} ${unit}`
}

export function axisSize(bytes: number): string {
  const [value, unit] = scaled(bytes, BYTES)
  return `${Number(value.toPrecision(3))} ${unit}`
}

/** Made once: with `toLocaleString` it would be made for every number. */
const grouped = new Intl.NumberFormat('en-US')

/** `1,234,567`. */
export function whole(count: number): string {
  return grouped.format(count)
}

/** `1 session`, `2 sessions`. */
export function plural(count: number, what: string): string {
  return `${whole(count)} ${what}${count === 1 ? '' : 's'}`
}

/** A duration as a clock counts it: `0:09`, `12:05`, `1:02:03`, `3 d 04:05:06`. */
export function clockDuration(seconds: number): string {
  const total = Math.max(0, Math.floor(seconds))
  const pad = (value: number) => String(value).padStart(2, '0')
  const days = Math.floor(total / 86_400)
  const hours = Math.floor((total % 86_400) / 3600)
  const minutes = Math.floor((total % 3600) / 60)
  const rest = pad(total % 60)
  if (days > 0) return `${days} d ${pad(hours)}:${pad(minutes)}:${rest}`
  return hours > 0 ? `${hours}:${pad(minutes)}:${rest}` : `${minutes}:${rest}`
}

/** Seconds as `0.9 s`, `4 min 05 s`, `2 h 03 min`. */
export function duration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const total = Math.round(seconds)
  const pad = (value: number) => String(value).padStart(2, '0')
  if (total < 3600) return `${Math.floor(total / 60)} min ${pad(total % 60)} s`
  return `${Math.floor(total / 3600)} h ${pad(Math.floor((total % 3600) / 60))} min`
}

/** How long ago, roughly: `now`, `12 s ago`, `5 min ago`, `3 h ago`, `2 d ago`. */
export function ago(seconds: number): string {
  if (seconds < 1.5) return 'now'
  if (seconds < 99.5) return `${Math.round(seconds)} s ago`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`
  return seconds < 129_600 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86_400)} d ago`
}

/** `2026-11-22 14:03:22` in the viewer's zone. By hand, since `Intl` is slow and every row of a table has times. */
export function localTime(ms: number): string {
  const date = new Date(ms)
  const pad = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`
}

/** The time of day; of another day the day and the minute, of another year the day: `14:03:22`, `11-21 14:03`. */
export function shortTime(ms: number, now: number): string {
  const text = localTime(ms)
  const today = localTime(now)
  if (text.slice(0, 10) === today.slice(0, 10)) return text.slice(11)
  return text.slice(0, 4) === today.slice(0, 4) ? text.slice(5, 16) : text.slice(0, 10)
}

/** `2026-11-22 13:03:22 UTC`. */
export function utcTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
