/** Archives for the benchmark, as quickly as they can be written: a few contents are packed once, and used again. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { Chance } from '../test/real/zip/chance.ts'
import { centralRecord, compress, endRecords, FILE, type Fields, localHeader } from '../test/real/zip/writer.ts'

/** What is looked for. */
export const FOLDER = 'Nginx'
export const IN_FOLDER = 2000
const FOLDERS = 100
const CONTENTS = 64
const PIECE = 2 ** 22

interface Packed {
  readonly crc: number
  readonly size: number
  readonly data: Uint8Array
}

/** Of about `mean` bytes, which can be packed to two fifths. */
function pack(mean: number): Packed[] {
  const chance = new Chance(1)
  return Array.from({ length: CONTENTS }, () => {
    const size = Math.round(mean / 2 + chance.below(mean))
    const words = Array.from({ length: 200 }, () => chance.below(36 ** 5).toString(36))
    let text = ''
    while (text.length < size) text += `${chance.pick(words)} ${chance.below(1000)}\n`
    const content = Buffer.from(text.slice(0, size))
    return { crc: crc32(content), size, data: compress(content, 8) }
  })
}

const NONE = Buffer.alloc(0)

function fieldsOf(name: string, { crc, size, data }: Packed, offset: number): Fields {
  return {
    ...{ signature: 0, madeBy: 0x031e, version: 20, flags: 0, method: 8, time: 0x645c, date: 0x585d },
    ...{ crc, compressed: data.length, size, nameLength: name.length, extraLength: 0, commentLength: 0 },
    ...{ disk: 0, internal: 0, external: FILE * 2 ** 16, offset },
    ...{ name: Buffer.from(name), extra: NONE, comment: NONE },
  }
}

/** Every so-many-th entry is one of the folder, so that they stand all over the archive. */
function* namesOf(entries: number): Generator<string> {
  const every = Math.floor(entries / IN_FOLDER)
  for (let i = 0; i < entries; i++) {
    const n = i / every
    if (Number.isInteger(n) && n < IN_FOLDER) yield `${FOLDER}/site${n % FOLDERS}/file${n}.conf`
    else yield `data/d${Math.floor(i / 1000)}/some-file-${i}.txt`
  }
}

/** Written in pieces. */
class Output {
  readonly #file: number
  #parts: Uint8Array[] = []
  #waiting = 0
  length = 0

  constructor(path: string) {
    this.#file = openSync(path, 'w')
  }

  write(bytes: Uint8Array): void {
    this.#parts.push(bytes)
    this.#waiting += bytes.length
    this.length += bytes.length
    if (this.#waiting >= PIECE) this.#flush()
  }

  #flush(): void {
    const all = Buffer.concat(this.#parts)
    for (let at = 0; at < all.length; )
      at += writeSync(this.#file, all, at, all.length - at, this.length - all.length + at)
    this.#parts = []
    this.#waiting = 0
  }

  /** Nothing, which takes no room. */
  skip(bytes: number): void {
    this.#flush()
    this.length += bytes
    ftruncateSync(this.#file, this.length)
  }

  close(): void {
    this.#flush()
    closeSync(this.#file)
  }
}

/** So many entries of about so many bytes. Returns what is in `FOLDER`, in the order of the directory. */
export function writeLarge(path: string, entries: number, mean: number): string[] {
  const contents = pack(mean)
  const output = new Output(path)
  const records: Buffer[] = []
  const wanted: string[] = []
  let number = 0
  for (const name of namesOf(entries)) {
    const packed = contents[number % CONTENTS]!
    number += 1
    const fields = fieldsOf(name, packed, output.length)
    output.write(localHeader(fields))
    output.write(packed.data)
    records.push(centralRecord(fields))
    if (name.startsWith(FOLDER)) wanted.push(name)
  }
  finish(output, records)
  return wanted
}

function finish(output: Output, records: readonly Buffer[]): void {
  const offset = output.length
  for (const record of records) output.write(record)
  const size = output.length - offset
  for (const part of endRecords({ entries: records.length, size, offset }, {})) output.write(part)
  output.close()
}

/** 10 GB in three entries that are not packed, nearly all of it holes, and a small one at its end. */
export function writeSparse(path: string): string {
  const output = new Output(path)
  const records: Buffer[] = []
  const large = 3_500_000_000
  const packed = pack(4000)[0]!
  const add = (fields: Fields) => {
    output.write(localHeader(fields))
    records.push(centralRecord(offset32(fields)))
  }
  for (let i = 0; i < 3; i++) {
    const fields = fieldsOf(`hole${i}`, { crc: 0, size: large, data: NONE }, output.length)
    add({ ...fields, method: 0, compressed: large })
    output.skip(large)
  }
  add(fieldsOf('small.txt', packed, output.length))
  output.write(packed.data)
  finish(output, records)
  return 'small.txt'
}

/** An offset that 32 bits cannot hold stands in the extra field of zip64. */
function offset32(fields: Fields): Fields {
  if (fields.offset < 0xffffffff) return fields
  const extra = Buffer.alloc(12)
  extra.writeUInt16LE(1, 0)
  extra.writeUInt16LE(8, 2)
  extra.writeBigUInt64LE(BigInt(fields.offset), 4)
  return { ...fields, version: 45, offset: 0xffffffff, extra, extraLength: extra.length }
}
