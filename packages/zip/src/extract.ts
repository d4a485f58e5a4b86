/** `fettle zip extract`: plans first, then writes, and has compared each file with its CRC before it gets its name. */
import {
  type AnswerOptions,
  type Command,
  type Flag,
  type Given,
  type Io,
  type Outcome,
  readAnswerOptions,
  reportFlags,
  type Status,
} from '@fettle/check'
import { writeContents } from './contents.ts'
import { answerBy } from './extract/answer.ts'
import type { Existing } from './extract/job.ts'
import { type Extraction, extractTo } from './extract/run.ts'
import { onFound } from './meant.ts'
import { archiveArguments, MAX_RATIO, readMeant, readSize, selectFlags, text } from './options.ts'

export interface ExtractOptions extends Extraction, AnswerOptions {
  /** One file instead of a folder; `-` is standard output. */
  readonly output: string | undefined
}

const EXISTING: readonly string[] = ['skip', 'overwrite', 'newer', 'rename'] satisfies Existing[]
const LINKS: readonly string[] = ['inside', 'off']

const flags: readonly Flag[] = [
  { name: 'directory', letter: 'd', value: 'folder', says: 'where files go (.); it is made if there is none' },
  {
    name: 'output',
    letter: 'o',
    value: 'file',
    says: 'the content of all in one file, one after the other; - is standard output',
  },
  { name: 'plan', says: 'only say what would be written' },
  { name: 'strip', value: 'count', says: 'take so many folders off the front of names' },
  {
    name: 'existing',
    value: 'what',
    says: 'skip, overwrite, newer or rename, where a file is there with other content (skip)',
  },
  {
    name: 'symlinks',
    value: 'which',
    says: 'inside: those that stay in the folder are made; off: none (inside)',
  },
  { name: 'manifest', value: 'file', says: 'a line of JSON for each entry: what became of it' },
  {
    name: 'max-ratio',
    value: 'number',
    says: `leave out what unpacks to more than so many times its bytes, where that is much (${MAX_RATIO})`,
  },
  { name: 'max-bytes', value: 'size', says: 'write no more bytes than this, such as 2G' },
  { name: 'max-files', value: 'count', says: 'write no more files than this' },
  { name: 'threads', value: 'count', says: 'how many write at once (as many as the work is worth)' },
  ...selectFlags,
  ...reportFlags,
]

function read(given: Given): Outcome<ExtractOptions> {
  const meant = readMeant(given)
  const faults = meant.ok ? [] : [...meant.faults]
  const count = (name: string, least: number, most: number): number | undefined => {
    const value = text(given.flags[name])
    if (value === undefined) return undefined
    if (/^\d{1,15}$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value)
    faults.push(`--${name} ${value}: is no number from ${least} to ${most}`)
    return undefined
  }
  const oneOf = (name: string, all: readonly string[]) => {
    const value = text(given.flags[name]) ?? all[0]!
    if (!all.includes(value)) faults.push(`--${name} ${value}: is none of ${all.join(', ')}`)
    return value
  }
  const options = {
    folder: text(given.flags.directory) ?? '.',
    output: text(given.flags.output),
    strip: count('strip', 0, 1000) ?? 0,
    existing: oneOf('existing', EXISTING) as Existing,
    makesLinks: oneOf('symlinks', LINKS) === 'inside',
    maxRatio: count('max-ratio', 1, 1e15) ?? MAX_RATIO,
    maxBytes: readSize('max-bytes', given.flags, faults) ?? Number.POSITIVE_INFINITY,
    maxFiles: count('max-files', 0, 1e15) ?? Number.POSITIVE_INFINITY,
    threads: count('threads', 1, 64),
    isPlanOnly: given.flags.plan === true,
    manifest: text(given.flags.manifest),
    ...readAnswerOptions(given),
  }
  if (options.output !== undefined && given.flags.directory !== undefined) {
    faults.push('--output and --directory: give one of them')
  }
  if (options.output === '-' && options.json) faults.push('--json: standard output holds the content with --output -')
  if (!meant.ok || faults.length > 0) return { ok: false, faults }
  return { ok: true, value: Object.freeze({ ...meant.value, ...options }) }
}

export const zipExtract: Command<ExtractOptions> = {
  name: 'zip extract',
  summary: 'write files of an archive: planned first, compared with their CRC before they get their names',
  arguments: archiveArguments,
  flags,
  examples: [
    "fettle zip extract backup.zip 'Nginx/**' -d out",
    'fettle zip extract backup.zip --plan',
    'fettle zip extract backup.zip etc/app.conf -o -',
    'fettle zip extract backup.zip --names-from names.txt -d out --json',
  ],
  read,
  run,
}

async function run(options: ExtractOptions, io: Io): Promise<Status> {
  const { output } = options
  return output === undefined
    ? await answerBy(options, io, (found, began, crew) => extractTo(found, options, began, crew, io))
    : await onFound(options, io, (found) => writeContents(found, options, output, io), output === '-')
}
