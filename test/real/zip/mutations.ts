/** Archives that something happened to: bits turned over, ends lost, pieces moved, and fields that lie. */
import type { Chance } from './chance.ts'
import { compress, type Entry, FILE, FOLDER, field, LINK, type Lies, zip } from './writer.ts'

/** An archive from nothing but chance and what is whole. */
export function mutant(chance: Chance, whole: readonly Buffer[]): Buffer {
  if (chance.once(3)) return lying(chance)
  let bytes: Buffer = Buffer.from(chance.pick(whole))
  for (let i = 1 + chance.below(4); i > 0; i--) bytes = chance.pick(mutations)(bytes, chance, whole)
  return bytes
}

type Mutation = (bytes: Buffer, chance: Chance, whole: readonly Buffer[]) => Buffer

/** Where one looks first. */
const signatures = [0x02014b50, 0x04034b50, 0x06054b50, 0x06064b50, 0x07064b50, 0x08074b50]
const numbers = [0, 1, 2, 7, 8, 22, 30, 46, 99, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xfffe, 0xffff]
const wide = [...numbers, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]

const mutations: readonly Mutation[] = [
  (bytes, chance) => {
    for (let i = 1 + chance.below(8); i > 0 && bytes.length > 0; i--) {
      bytes[chance.below(bytes.length)]! ^= 1 << chance.below(8)
    }
    return bytes
  },
  (bytes, chance) => bytes.subarray(0, chance.below(bytes.length + 1)),
  (bytes, chance) => bytes.subarray(chance.below(bytes.length + 1)),
  (bytes, chance) => {
    const [from, to] = [chance.below(bytes.length + 1), chance.below(bytes.length + 1)]
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
  },
  (bytes, chance, whole) => {
    const other = chance.pick(whole)
    return Buffer.concat([
      bytes.subarray(0, chance.below(bytes.length + 1)),
      other.subarray(chance.below(other.length + 1)),
    ])
  },
  (bytes, chance) => Buffer.concat([bytes, chance.bytes(chance.below(100))]),
  numberAtRecord,
  numberAtRecord,
  numberAtRecord,
]

/** A number that lies somewhere in a header or record. */
function numberAtRecord(bytes: Buffer, chance: Chance): Buffer {
  const mark = Buffer.alloc(4)
  mark.writeUInt32LE(chance.pick(signatures))
  const places: number[] = []
  for (let at = bytes.indexOf(mark); at >= 0 && places.length < 100; at = bytes.indexOf(mark, at + 1)) places.push(at)
  if (places.length === 0) return bytes
  const at = chance.pick(places) + 4 + 2 * chance.below(24)
  if (at + 4 > bytes.length) return bytes
  if (chance.once(2)) bytes.writeUInt16LE(chance.pick(numbers), at)
  else bytes.writeUInt32LE(chance.pick(wide), at)
  return bytes
}

const names = [
  ...['a', 'b', 'a/b', 'a/b/c', 'a/', 'b/', '../x', '../../x', '/x', 'C:\\x', '..\\x', 'a\\..\\..\\x', 'A', ''],
  ...[
    '.',
    '..',
    './a',
    'a//b',
    'a\0b',
    '\x1b[2J',
    'größe',
    'gro\u0308ße',
    'x'.repeat(300),
    'con',
    'a/../b',
    '~',
    '-rf',
  ],
]
const targets = ['a', 'b', '..', '../x', '/etc/passwd', '', 'a/../..', './.', 'x'.repeat(5000), 'b/../../canary']
const modes = [FILE, FILE, FILE, FOLDER, LINK, LINK, 0o106755, 0o020666, 0o010666, 0o140777, 0o100000, 0]
const entryMethods = [0, 8, 8, 8, 93]
const lyingFields = [
  ...(['signature', 'madeBy', 'version', 'flags', 'method', 'time', 'date', 'crc', 'compressed', 'size'] as const),
  ...(['nameLength', 'extraLength', 'commentLength', 'disk', 'internal', 'external', 'offset'] as const),
]

/** An archive whose fields lie, each where it stands. */
function lying(chance: Chance): Buffer {
  const count = chance.below(8)
  const entries = Array.from({ length: count }, (_, i) => entryOf(chance, i))
  const end = chance.once(4) ? { [chance.pick(endFields)]: chance.pick(wide) } : {}
  return zip({
    entries,
    end,
    comment: chance.once(5) ? chance.bytes(chance.below(100)) : Buffer.alloc(0),
    prefix: chance.once(5) ? chance.bytes(chance.below(100)) : Buffer.alloc(0),
    tail: chance.once(8) ? chance.bytes(chance.below(30)) : Buffer.alloc(0),
    ...(chance.once(6) ? { end64: chance.once(2) ? {} : { [chance.pick(longFields)]: chance.pick(wide) } } : {}),
  })
}

const endFields = ['disk', 'directoryDisk', 'entriesHere', 'entries', 'size', 'offset', 'commentLength'] as const
const longFields = ['entries', 'size', 'offset', 'locator'] as const

function entryOf(chance: Chance, number: number): Entry {
  const mode = chance.pick(modes)
  const isLink = mode === LINK
  const content = isLink ? chance.pick(targets) : 'content '.repeat(chance.below(1000))
  const method = chance.pick(entryMethods)
  const name = chance.once(10) ? chance.bytes(chance.below(40)) : chance.pick(names)
  const packed = compress(Buffer.from(content), method)
  return {
    ...{ name, content, method, mode, host: chance.pick([0, 3, 3, 3, 10, 19]) },
    ...(chance.once(8) ? { data: chance.once(2) ? chance.bytes(packed.length) : packed.subarray(0, -3) } : {}),
    ...(chance.once(6) ? { extra: extraOf(chance) } : {}),
    ...(chance.once(8) ? { isZip64: true } : {}),
    ...(chance.once(8) ? { hasDescriptor: true } : {}),
    ...(chance.once(8) && number > 0 ? { sharesWith: chance.below(number) } : {}),
    ...(chance.once(4) ? { local: lies(chance) } : {}),
    ...(chance.once(4) ? { central: lies(chance) } : {}),
  }
}

const lies = (chance: Chance): Lies => ({ [chance.pick(lyingFields)]: chance.pick(wide) })

function extraOf(chance: Chance): Buffer {
  const body = chance.bytes(chance.below(40))
  const length = chance.once(3) ? chance.pick(numbers) : body.length
  return field(chance.pick([1, 0x5455, 0x7075, 0x9901, 0x000a, 0x7875, chance.below(65536)]), body, length)
}
