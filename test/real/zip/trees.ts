/** Folders of all that people put into archives, by chance. */
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Chance } from './chance.ts'

export interface Tree {
  readonly files: ReadonlyMap<string, TreeFile>
  /** With nothing in them. */
  readonly folders: readonly string[]
  /** Path to target. */
  readonly links: ReadonlyMap<string, string>
}

export interface TreeFile {
  readonly content: Buffer
  readonly mode: number
  /** Seconds since the epoch. */
  readonly modified: number
}

const words = [
  ...['a', 'index.html', 'README', 'two words', ' before', 'after ', '-rf', '--help', '#x#', '100%', "it's", '"so"'],
  ...['[set]', '{a,b}', 'a&b', '$HOME', '.hidden', '..dots', 'dot.', 'größe', 'gru\u0308n', '中文 说明', 'файл', '🙂'],
  ...['日本語', 'العربية', 'x'.repeat(200), 'é'.repeat(100), '~', '@file', 'semi;colon', 'con'],
]
const modes = [0o644, 0o644, 0o755, 0o600, 0o444, 0o777, 0o640]
const EARLIEST = Date.UTC(1981, 0, 1) / 1000
const LATEST = Date.UTC(2037, 0, 1) / 1000

/** No two names are one where case or normalisation are not told apart: each begins with a number of its own. */
export function treeOf(seed: number): Tree {
  const chance = new Chance(seed)
  const folders = ['']
  let number = 0
  const name = () => {
    number += 1
    const word = chance.pick(words)
    return word.startsWith('-') || word.startsWith('.') || word.startsWith(' ')
      ? `${word}${number}`
      : `${number}${word}`
  }
  const under = () => {
    const folder = chance.pick(folders)
    return folder === '' ? name() : `${folder}/${name()}`
  }
  for (let i = chance.below(10); i > 0; i--) folders.push(under())
  // A long way down, of short names: a path has a limit.
  if (chance.once(3)) folders.push(Array.from({ length: 30 }, (_, i) => `d${i}`).join('/'))
  const files = new Map<string, TreeFile>()
  for (let i = 1 + chance.below(20); i > 0; i--) {
    const modified = EARLIEST + chance.below(LATEST - EARLIEST)
    files.set(under(), { content: contentOf(chance), mode: chance.pick(modes), modified })
  }
  const links = new Map<string, string>()
  const targets = [...files.keys()]
  for (let i = chance.below(3); i > 0; i--) {
    const path = under()
    links.set(path, '../'.repeat(path.split('/').length - 1) + chance.pick(targets))
  }
  return { files, folders: folders.slice(1), links }
}

function contentOf(chance: Chance): Buffer {
  const size = chance.pick([0, 1, 10, 100, 1000, 4096, 10_000, 65_536, chance.below(300_000)])
  if (chance.once(3)) return chance.bytes(Math.min(size, 30_000))
  const line = Buffer.from(`${chance.below(1e9)} ${chance.pick(words)} `.repeat(1 + chance.below(9)))
  return Buffer.alloc(size, line)
}

/** Writes it into a folder, which must not exist. */
export function plant({ files, folders, links }: Tree, folder: string): void {
  for (const path of ['', ...folders]) mkdirSync(join(folder, path), { recursive: true })
  for (const [path, { content, mode, modified }] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
    chmodSync(join(folder, path), mode)
    utimesSync(join(folder, path), modified, modified)
  }
  for (const [path, target] of links) symlinkSync(target, join(folder, path))
}
