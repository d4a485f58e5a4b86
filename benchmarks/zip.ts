/**
 * How long do a few files out of a huge archive take, and all of them? Beside unzip, 7zz, bsdtar and a program with
 * yauzl, in turn in every round, each with its own start; archives and files are in memory, where no disk is measured.
 * fettle is what `npm run release` makes.
 * `npm run bench -- zip [ROUNDS [PART...]]`: parts are one, folder, names, list, all, million, small and sparse.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { release } from '../scripts/release.ts'
import { find } from '../test/real/harness.ts'
import { spread, spreadText } from './process.ts'
import { FOLDER, IN_FOLDER, writeLarge, writeSparse } from './zip-archives.ts'

const rounds = Number(process.argv[2] ?? 9)
const parts = process.argv.slice(3)
const isWanted = (part: string) => parts.length === 0 || parts.includes(part)
const MEMORY = '/dev/shm'
const ENTRIES = 200_000
const MEAN_BYTES = 6250
const LONG_NAME = 'fettle, 2 threads'

const place = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const sources = [process.execPath, place('../packages/cli/bin/fettle.js'), 'zip']
const yauzl = [process.execPath, place('./zip-yauzl.ts')]
const [unzip, sevenZip, bsdtar] = [find('unzip'), find('7zz'), find('bsdtar')]
const ground = mkdtempSync(join(MEMORY, 'fettle-bench-'))
const out = join(ground, 'out')
/** As others install it. */
const fettle = [process.execPath, join(ground, 'release/bin/fettle.js'), 'zip']

type Words = readonly string[]

interface Question {
  readonly part: string
  readonly title: string
  /** By name; fettle is the first. */
  readonly contenders: Readonly<Record<string, Words>>
  /** Files that are there afterwards. */
  readonly files?: number
  /** Fewer rounds than the others. */
  readonly rounds?: number
  /** Takes so long that one round has to do. */
  readonly once?: string
}

/** A folder to extract into. */
function empty(): void {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out)
}

/** Seconds from its start to its end. */
function run(name: string, words: Words, files: number | undefined): number {
  empty()
  const began = performance.now()
  const { status, stderr } = spawnSync(words[0]!, words.slice(1), { stdio: ['ignore', 'ignore', 'pipe'], cwd: out })
  const seconds = (performance.now() - began) / 1000
  if (status !== 0) throw new Error(`${name} ends with ${status}: ${stderr}`)
  if (files !== undefined) {
    const found = readdirSync(out, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).length
    if (found !== files) throw new Error(`${name} has written ${found} files of ${files}`)
  }
  return seconds
}

type Times = Map<string, number[]>

function measure({ title, contenders, files, once, ...question }: Question): Times {
  const times: Times = new Map(Object.keys(contenders).map((name) => [name, []]))
  const wanted = Math.min(rounds, question.rounds ?? rounds)
  for (let round = 0; round < wanted; round++) {
    for (const [name, words] of Object.entries(contenders)) {
      if (name === once && round > 0) continue
      times.get(name)!.push(run(name, words, files))
    }
    process.stderr.write(`${title}: round ${round + 1} of ${wanted}\n`)
  }
  rmSync(out, { recursive: true, force: true })
  process.stdout.write(`\n${title}: seconds; fettle, times this one in the same round\n`)
  const own = times.values().next().value!
  for (const [name, seconds] of times) {
    const ratio = seconds === own ? '' : spreadText(ratiosTo(own, seconds), 2)
    process.stdout.write(`${name.padEnd(20)} ${spreadText(seconds, 3).padEnd(26)} ${ratio}\n`)
  }
  return times
}

const ratiosTo = (own: readonly number[], other: readonly number[]) => other.map((seconds, i) => own[i]! / seconds)

/** Fettle's median of ratios. */
function ratio(times: Times, peer: string): number {
  return spread(ratiosTo(times.values().next().value!, times.get(peer)!)).median
}

const claims: string[] = []
function claim(what: string, value: number, most: number, digits = 2): void {
  const verdict = value <= most ? 'held    ' : 'NOT HELD'
  claims.push(`${verdict} ${what}: ${value.toFixed(digits)} of at most ${most.toFixed(digits)}\n`)
}

/** The most memory that a program held, MB. */
function memory(words: Words): number {
  const script =
    'import resource as r, subprocess as s, sys\n' +
    's.run(sys.argv[1:], stdout=s.DEVNULL, check=True)\nprint(r.getrusage(r.RUSAGE_CHILDREN).ru_maxrss)'
  const { status, stdout, stderr } = spawnSync(find('python3'), ['-c', script, ...words], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return Number(stdout) / 1024
}

function extracting(archive: string): { one: Question; folder: Question } {
  const name = `${FOLDER}/site0/file0.conf`
  return {
    one: {
      part: 'one',
      title: 'one file',
      contenders: {
        fettle: [...fettle, 'extract', archive, name, '-d', '.'],
        unzip: [unzip, '-qq', archive, name],
        '7zz': [sevenZip, 'x', '-y', archive, name],
        bsdtar: [bsdtar, '-xf', archive, name],
      },
      files: 1,
    },
    folder: {
      part: 'folder',
      title: `a folder of ${IN_FOLDER}`,
      contenders: {
        fettle: [...fettle, 'extract', archive, `${FOLDER}/**`, '-d', '.'],
        'fettle, sources': [...sources, 'extract', archive, `${FOLDER}/**`, '-d', '.'],
        unzip: [unzip, '-qq', archive, `${FOLDER}/*`],
        '7zz': [sevenZip, 'x', '-y', archive, `${FOLDER}/`],
        bsdtar: [bsdtar, '-xf', archive, `${FOLDER}/*`],
        yauzl: [...yauzl, archive, '.', `${FOLDER}/`],
      },
      files: IN_FOLDER,
      once: 'yauzl',
    },
  }
}

function byNames(archive: string, names: readonly string[]): Question {
  const list = join(ground, 'names')
  writeFileSync(list, names.map((name) => `${name}\n`).join(''))
  return {
    part: 'names',
    title: `${names.length} names`,
    contenders: {
      fettle: [...fettle, 'extract', archive, '--names-from', list, '-d', '.'],
      unzip: [unzip, '-qq', archive, ...names],
      '7zz': [sevenZip, 'x', '-y', archive, `@${list}`],
      bsdtar: [bsdtar, '-xf', archive, '-T', list],
    },
    files: names.length,
    rounds: 3,
  }
}

const listing = (archive: string): Question => ({
  part: 'list',
  title: 'list',
  contenders: {
    fettle: [...fettle, 'list', archive, '--names'],
    unzip: [unzip, '-Z1', archive],
    '7zz': [sevenZip, 'l', archive],
    bsdtar: [bsdtar, '-tf', archive],
    yauzl: [...yauzl, archive],
  },
  once: 'yauzl',
})

const everything = (archive: string, entries: number): Question => ({
  part: 'all',
  title: `everything, ${entries} files`,
  contenders: {
    [LONG_NAME]: [...fettle, 'extract', archive, '-d', '.', '--threads', '2'],
    unzip: [unzip, '-qq', archive],
    '7zz': [sevenZip, 'x', '-y', archive],
    bsdtar: [bsdtar, '-xf', archive],
  },
  files: entries,
  rounds: 3,
})

function askOfLarge(): void {
  const archive = join(ground, 'large.zip')
  const names = writeLarge(archive, ENTRIES, MEAN_BYTES)
  const { one, folder } = extracting(archive)
  if (isWanted('one')) measure(one)
  if (isWanted('folder')) {
    const times = measure(folder)
    claim('a folder, times unzip', ratio(times, 'unzip'), 1.3)
    claim('a folder, times 7zz', ratio(times, '7zz'), 1)
  }
  if (isWanted('names')) {
    const times = measure(byNames(archive, names))
    for (const peer of ['unzip', 'bsdtar']) claim(`names, times ${peer}`, ratio(times, peer), 1 / 5)
  }
  if (isWanted('list')) {
    const times = measure(listing(archive))
    for (const peer of ['unzip', '7zz', 'bsdtar', 'yauzl']) claim(`list, times ${peer}`, ratio(times, peer), 1)
  }
  if (isWanted('all')) claim('everything, times unzip', ratio(measure(everything(archive, ENTRIES)), 'unzip'), 1)
  rmSync(archive)
}

/** The same files, and more of the others. */
function askOfMillion(): void {
  const archive = join(ground, 'million.zip')
  writeLarge(archive, 1_000_000, MEAN_BYTES)
  const { one, folder } = extracting(archive)
  const names = { one: 'one file of a million', folder: `${IN_FOLDER} of a million` }
  claim(`${names.folder}, times unzip`, ratio(measure(withoutSlow(folder, names.folder)), 'unzip'), 1.3)
  measure({ ...one, title: names.one, rounds: 3 })
  const own = { one: one.contenders.fettle!, folder: folder.contenders.fettle! }
  for (const [name, words] of [
    [names.one, own.one.with(-1, out)],
    [names.folder, own.folder.with(-1, out)],
    ['a list of a million', [...fettle, 'list', archive, '--names']],
  ] as const) {
    empty()
    claim(`memory for ${name}, MB`, memory(words), 150, 0)
  }
  rmSync(archive)
}

/** All of them are so small that unpacking takes no time. */
function askOfSmall(): void {
  const archive = join(ground, 'small.zip')
  writeLarge(archive, 1_000_000, 200)
  measure(withoutSlow(extracting(archive).folder, `${IN_FOLDER} of a million small ones`))
  rmSync(archive)
}

function withoutSlow({ contenders, ...folder }: Question, title: string): Question {
  const { yauzl: _, 'fettle, sources': __, ...quick } = contenders
  return { ...folder, contenders: quick, title }
}

function askOfSparse(): void {
  const archive = join(ground, 'sparse.zip')
  const name = writeSparse(archive)
  const times = measure({
    part: 'sparse',
    title: 'one file of 10 GB of holes',
    contenders: {
      fettle: [...fettle, 'extract', archive, name, '-d', '.'],
      unzip: [unzip, '-qq', archive, name],
      '7zz': [sevenZip, 'x', '-y', archive, name],
    },
    files: 1,
  })
  claim('one file of 10 GB, seconds', spread(times.get('fettle')!).median, 0.3, 3)
}

try {
  await release(join(ground, 'release'))
  if (['one', 'folder', 'names', 'list', 'all'].some(isWanted)) askOfLarge()
  if (isWanted('million')) askOfMillion()
  if (isWanted('small')) askOfSmall()
  if (isWanted('sparse')) askOfSparse()
} finally {
  rmSync(ground, { recursive: true, force: true })
}
process.stdout.write(`\n${claims.join('')}`)
