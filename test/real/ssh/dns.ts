/** Messages of the DNS (RFC 1035), as far as a server of four kinds of records needs them. */

export const TYPES = { A: 1, PTR: 12, AAAA: 28, SSHFP: 44 } as const
export type TypeName = keyof typeof TYPES

export interface Question {
  readonly id: number
  /** In small letters, without the dot at its end. */
  readonly name: string
  /** A name of `TYPES`, or the number. */
  readonly type: string
}

const HEADER_BYTES = 12

/** Undefined for what is no query of one question. */
export function readQuery(bytes: Buffer): Question | undefined {
  if (bytes.length < HEADER_BYTES + 5 || bytes.readUInt16BE(4) !== 1) return undefined
  const labels: string[] = []
  let at = HEADER_BYTES
  for (;;) {
    const length = bytes[at]
    if (length === undefined || length > 63) return undefined
    at += 1
    if (length === 0) break
    labels.push(bytes.toString('latin1', at, at + length))
    at += length
  }
  if (at + 4 > bytes.length) return undefined
  const number = bytes.readUInt16BE(at)
  const type = Object.entries(TYPES).find(([, known]) => known === number)?.[0] ?? `${number}`
  return { id: bytes.readUInt16BE(0), name: labels.join('.').toLowerCase(), type }
}

const OK = 0x8580 // a response, authoritative, recursion wanted and there
export const NXDOMAIN = 3
const TTL_SECONDS = 60

/** `data`: of each record, as text; none with `code` 0 says that the name has other types only. */
export function writeAnswer({ id, name, type }: Question, data: readonly string[], code = 0): Buffer {
  const number = TYPES[type as TypeName] ?? Number(type)
  const header = [OK | code, 1, data.length, 0, 0]
  const records = data.flatMap((text) => {
    const bytes = dataOf(type, text)
    // The name is the one of the question: a pointer to it.
    return [words(0xc000 | HEADER_BYTES, number, 1, 0, TTL_SECONDS, bytes.length), bytes]
  })
  return Buffer.concat([words(id, ...header), nameOf(name), words(number, 1), ...records])
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2)
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, i * 2)
  return bytes
}

function nameOf(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  return Buffer.concat([...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.alloc(1)])
}

function dataOf(type: string, text: string): Buffer {
  if (type === 'A') return Buffer.from(text.split('.').map(Number))
  if (type === 'AAAA') return ip6(text)
  return nameOf(text)
}

function ip6(text: string): Buffer {
  const [left = [], right = []] = text.split('::').map((part) => part.split(':').filter((group) => group !== ''))
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return words(...groups.map((group) => Number.parseInt(group, 16)))
}

/** The name under which the DNS knows who has an address. */
export function reverseName(address: string): string {
  if (!address.includes(':')) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  return `${[...ip6(address).toString('hex')].reverse().join('.')}.ip6.arpa`
}
