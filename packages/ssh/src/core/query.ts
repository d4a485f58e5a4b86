/** A query of DNS in bytes, and the beginning of its answer (RFC 1035, section 4.1). */

export type QueryType = 'A' | 'AAAA' | 'PTR' | 'SSHFP'

/** One query to one resolver. */
export interface Query {
  readonly resolver: string
  readonly name: string
  readonly type: QueryType
}

export interface Answered {
  /** Null: there was no answer while it was waited for. */
  readonly seconds: number | null
  /** `NOERROR`, `NXDOMAIN`; null: no answer. */
  readonly code: string | null
}

const TYPES: Readonly<Record<QueryType, number>> = { A: 1, PTR: 12, AAAA: 28, SSHFP: 44 }
const CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']
const LABEL_MAX = 63

/** Undefined: that is no name of the DNS. */
export function queryBytes(id: number, name: string, type: QueryType): Buffer | undefined {
  const labels = name
    .replace(/\.$/, '')
    .split('.')
    .map((label) => Buffer.from(label))
  if (labels.some(({ length }) => length === 0 || length > LABEL_MAX)) return undefined
  // One question, and it is asked for that the resolver goes and looks.
  const head = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  const body = labels.flatMap((label) => [Buffer.from([label.length]), label])
  return Buffer.concat([head, ...body, Buffer.from([0, 0, TYPES[type], 0, 1])])
}

/** What the answer to this query says; undefined: it is the answer to another one. */
export function answerCode(id: number, bytes: Buffer): string | undefined {
  const isAnswer = bytes.length >= 12 && bytes.readUInt16BE(0) === id && bytes[2]! >= 128
  if (!isAnswer) return undefined
  const code = bytes[3]! & 15
  return CODES[code] ?? `code ${code}`
}
