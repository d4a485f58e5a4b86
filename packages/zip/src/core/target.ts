/** Where an entry may be written: nowhere outside of the folder, whatever its name says. */

/** What makes a name one that is not written. */
export type Refusal = keyof typeof refusalWords

/** Each as the end of a sentence that begins with the name. */
export const refusalWords = {
  empty: 'is empty',
  itself: 'is the folder itself',
  stripped: 'has no more folders than are stripped',
  nul: 'has a NUL character in it',
  absolute: 'begins at the root of the file system',
  drive: 'begins with the letter of a drive',
  network: 'begins with the name of a machine',
  parent: 'has .. in it, which leads outside',
  'segment-long': 'has a part of more than 255 bytes',
  'path-long': 'has more than 4,095 bytes',
} as const

/** Harmless to write on Linux, but worth to be told. */
export type NameOddity = keyof typeof oddityWords

export const oddityWords = {
  control: 'has control characters in it, which may steer a terminal',
  direction: 'has characters in it that turn the direction of writing, and may look like another name',
  invisible: 'has characters in it that are not seen',
  invalid: 'has characters in it that could not be decoded',
  backslash: 'has a backslash in it, which is no separator here',
  dash: 'has a part that begins with -, as options do',
  spaces: 'has spaces before or behind a part',
  'trailing-dot': 'has a part that ends in a dot, which Windows drops',
  reserved: 'has a part that is the name of a device on Windows',
  stream: 'has a colon in it, which is a drive or a hidden stream on Windows',
  'windows-character': 'has one of < > " | ? * in it, which Windows has not',
} as const

/** In the order of their bits. */
const ODDITIES = Object.keys(oddityWords) as NameOddity[]
const bitOf = (oddity: NameOddity) => 1 << ODDITIES.indexOf(oddity)
const CONTROL = bitOf('control')
const DIRECTION = bitOf('direction')
const INVISIBLE = bitOf('invisible')
const INVALID = bitOf('invalid')
const BACKSLASH = bitOf('backslash')
const DASH = bitOf('dash')
const SPACES = bitOf('spaces')
const TRAILING_DOT = bitOf('trailing-dot')
const RESERVED = bitOf('reserved')
const STREAM = bitOf('stream')
const WINDOWS_CHARACTER = bitOf('windows-character')
/** Not told, but looked at: NUL, and what is not ASCII. */
const NUL = 1 << 30
const WIDE = 1 << 29

const NONE: readonly NameOddity[] = Object.freeze([])

const SEGMENT_BYTES = 255
const PATH_BYTES = 4095

export interface TargetOptions {
  /** How many folders are left out at the beginning. */
  readonly strip: number
  /** Made on DOS or Windows: in a name without a slash, a backslash is one. */
  readonly isDosHost: boolean
}

export type Target =
  | {
      readonly ok: true
      /** At least one; none of them empty, `.`, `..`, or with a `/` or NUL in it. */
      readonly segments: readonly string[]
      readonly isDirectory: boolean
      readonly oddities: readonly NameOddity[]
    }
  | { readonly ok: false; readonly why: Refusal }

// What most names are made of: nothing in them is odd, long, or the name of a device. One look at the whole tells.
const PART = '(?!con|prn|aux|nul|com|lpt)[a-z0-9_](?:[a-z0-9_+,.=@~ -]{0,253}[a-z0-9_+=@~-])?'
const PLAIN = new RegExp(`^${PART}(?:/${PART})*$`, 'i')

/** Where an entry of that name is written. Parts that are empty or `.` are left out. */
export function targetOf(name: string, { strip, isDosHost }: TargetOptions): Target {
  if (strip === 0 && name.length <= PATH_BYTES && PLAIN.test(name)) {
    return { ok: true, segments: name.split('/'), isDirectory: false, oddities: NONE }
  }
  const marks = marksOf(name)
  const hasBackslash = (marks & BACKSLASH) !== 0
  const isParted = hasBackslash && isDosHost && !name.includes('/')
  const path = isParted ? name.replaceAll('\\', '/') : name
  const why = rootOf(name, path, isDosHost) ?? wrongAsAWhole(path, marks)
  if (why !== undefined) return { ok: false, why }
  // Nobody calls a file so in good faith, and other programs take it for a separator.
  if (hasBackslash && !isParted && /(?:^|[\\/])\.\.(?:[\\/]|$)/.test(name)) return { ok: false, why: 'parent' }
  const segments = segmentsOf(path, strip, (marks & WIDE) !== 0)
  if (typeof segments === 'string') return { ok: false, why: segments }
  const isDirectory = path.endsWith('/') || path.endsWith('/.')
  return { ok: true, segments, isDirectory, oddities: odditiesOf(isParted ? marks & ~BACKSLASH : marks, segments) }
}

function marksOf(name: string): number {
  let marks = 0
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    marks |= code < 0x80 ? ASCII_MARKS[code]! : wideMarks(code)
  }
  return marks
}

function rootOf(name: string, path: string, isDosHost: boolean): Refusal | undefined {
  const first = name.charCodeAt(0)
  if ((first === 0x2f || first === 0x5c) && /^(?:\\\\|\/\/)[^\\/]/.test(name)) return 'network'
  if (path.charCodeAt(0) === 0x2f) return 'absolute'
  if (name.charCodeAt(1) !== 0x3a) return undefined
  return (isDosHost ? /^[A-Za-z]:/ : /^[A-Za-z]:(?:[\\/]|$)/).test(name) ? 'drive' : undefined
}

function wrongAsAWhole(path: string, marks: number): Refusal | undefined {
  if (path === '') return 'empty'
  if ((marks & NUL) !== 0) return 'nul'
  return isLonger(path, PATH_BYTES, (marks & WIDE) !== 0) ? 'path-long' : undefined
}

function isLonger(text: string, mostBytes: number, isWide: boolean): boolean {
  if (text.length > mostBytes) return true
  // A UTF-16 unit takes three bytes at most.
  if (!isWide || text.length * 3 <= mostBytes) return false
  return new TextEncoder().encode(text).length > mostBytes
}

function segmentsOf(path: string, strip: number, isWide: boolean): string[] | Refusal {
  const segments: string[] = []
  for (let start = 0; start <= path.length; ) {
    const slash = path.indexOf('/', start)
    const end = slash === -1 ? path.length : slash
    const part = path.slice(start, end)
    start = end + 1
    if (part === '' || part === '.') continue
    if (part === '..') return 'parent'
    if (isLonger(part, SEGMENT_BYTES, isWide)) return 'segment-long'
    segments.push(part)
  }
  if (segments.length === 0) return 'itself'
  if (segments.length <= strip) return 'stripped'
  return strip === 0 ? segments : segments.slice(strip)
}

/** What is odd about where a part begins and ends, and about all of it. */
function edgeMarks(segment: string): number {
  const first = segment.charCodeAt(0)
  const last = segment.charCodeAt(segment.length - 1)
  let marks = first === 0x2d ? DASH : 0
  if (first === 0x20 || last === 0x20) marks |= SPACES
  if (last === 0x2e) marks |= TRAILING_DOT
  if (MAY_BE_RESERVED[first & 0x7f] === 1 && DEVICE.test(segment)) marks |= RESERVED
  return marks
}

const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(?:[.:]|$)/i
const MAY_BE_RESERVED = new Uint8Array(0x80)
for (const letter of 'cpanlCPANL') MAY_BE_RESERVED[letter.charCodeAt(0)] = 1

const ASCII_MARKS = Int32Array.from({ length: 0x80 }, (_, code) => {
  if (code === 0) return NUL
  if (code < 0x20 || code === 0x7f) return CONTROL
  if (code === 0x5c) return BACKSLASH
  if (code === 0x3a) return STREAM
  return '<>"|?*'.includes(String.fromCharCode(code)) ? WINDOWS_CHARACTER : 0
})

function wideMarks(code: number): number {
  if (code < 0xa0) return WIDE | CONTROL
  if (code === 0xad || code === 0xfeff || code === 0x200b || code === 0x2060) return WIDE | INVISIBLE
  if (code < 0x061c) return WIDE
  if (code === 0x061c || code === 0x200e || code === 0x200f) return WIDE | DIRECTION
  if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) return WIDE | DIRECTION
  if (code === 0x2028 || code === 0x2029) return WIDE | CONTROL
  return code === 0xfffd ? WIDE | INVALID : WIDE
}

function odditiesOf(marks: number, segments: readonly string[]): readonly NameOddity[] {
  let told = marks & ~WIDE
  for (const segment of segments) told |= edgeMarks(segment)
  return told === 0 ? NONE : ODDITIES.filter((_, i) => (told & (1 << i)) !== 0)
}
