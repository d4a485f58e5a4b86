/** Recordings -> sessions: the same fold, the same store, in a database that ends with the process. */
import { statSync } from 'node:fs'
import { finishRecording, fold } from './core/allocation.ts'
import type { SessionRecord } from './core/record.ts'
import { restore } from './core/restore.ts'
import type { Template } from './core/session.ts'
import { createState, take } from './core/state.ts'
import { bytesOf } from './ingest/bytes.ts'
import { Lines } from './ingest/lines.ts'
import { type LineReader, Recorder, type RecordingKind } from './ingest/recorder.ts'
import { recordingKinds } from './ingest/recording.ts'
import { Ledger, type LedgerOptions, openDatabase } from './store/ledger.ts'
import {
  countMisfits,
  type GapRecord,
  type RejectedRecord,
  readGaps,
  readRejected,
  readSessions,
} from './store/sessions.ts'

/** What one stream of recordings came to. */
export interface LedgerResult {
  /** The form of the recordings. */
  readonly kind: string
  readonly files: readonly string[]
  readonly sessions: readonly SessionRecord[]
  readonly rejected: readonly RejectedRecord[]
  readonly gaps: readonly GapRecord[]
  /** Lines that looked like an event and could not be read. */
  readonly malformed: number
  /** Allocations whose username does not fit the template (rule R19). */
  readonly misfits: number
  /** Files of which only the beginning could be unpacked, in a line each. */
  readonly cut: readonly string[]
  /** Says so, and what may be lacking, when no allocation was told of. */
  readonly empty: string | null
}

/** A path on which two ledgers of the same run do not agree; null: that ledger does not have it. */
export interface Difference {
  readonly path: string
  /** The eight counters as `received/sent` bytes and packets, client and peer. */
  readonly first: string | null
  readonly other: string | null
}

export interface Comparison {
  readonly first: string
  readonly other: string
  /** Allocations that are the same in both, to the byte. */
  readonly equal: number
  readonly differences: readonly Difference[]
}

export interface Replay {
  readonly schema: 'fettle.relay.replay/1'
  readonly sessions: readonly SessionRecord[]
  readonly rejected: readonly RejectedRecord[]
  readonly gaps: readonly GapRecord[]
  readonly malformed: number
  readonly misfits: number
  /** Recordings that tell of no allocation, in a line each. */
  readonly empty: readonly string[]
  /** Recordings of which only the beginning could be unpacked, in a line each. */
  readonly cut: readonly string[]
  /** Ledgers of further forms, compared with the first and never added to it (rule R27). */
  readonly compared: readonly Comparison[]
}

/** A file that cannot be replayed; the message is one line for the user. */
export class ReplayFault extends Error {}

const HEAD = 200
const PROGRESS_LINES = 100_000

/** The form of a file, by its first lines. */
async function detect(file: string): Promise<RecordingKind> {
  const head: string[] = []
  const lines = new Lines((bytes, start, end) => {
    head.push(bytes.toString('utf8', head.length === 0 ? afterMark(bytes, start) : start, end))
  })
  for await (const chunk of readFaulty(file, () => {})) {
    lines.feed(chunk)
    if (head.length >= HEAD) break
  }
  lines.end()
  const kind = recordingKinds.find((one) => one.detect(head.slice(0, HEAD)))
  if (kind) return kind
  if (head.length === 0) throw new ReplayFault(`${file}: is empty`)
  const names = recordingKinds.map((one) => one.name).join(', ')
  throw new ReplayFault(`${file}: no recording that fettle knows (${names}) in its first ${HEAD} lines`)
}

/** Where a text begins that may have the byte order mark of UTF-8. */
function afterMark(bytes: Buffer, start: number): number {
  return bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf ? start + 3 : start
}

async function* readFaulty(file: string, broken: () => void): AsyncGenerator<Buffer> {
  try {
    yield* bytesOf(file, broken)
  } catch (error) {
    throw new ReplayFault(`${file}: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`)
  }
}

/** Replays files into one ledger for each form found among them. */
export async function replay(
  files: readonly string[],
  template: Template,
  lingerMs: number,
  progress: (line: string) => void = () => {},
): Promise<Replay> {
  const ledgers: LedgerResult[] = []
  for (const [kind, own] of await filesByKind(files)) {
    ledgers.push(await replayKind(kind, own, { template, lingerMs }, progress))
  }
  const [first, ...others] = ledgers
  return {
    schema: 'fettle.relay.replay/1',
    sessions: first?.sessions ?? [],
    rejected: first?.rejected ?? [],
    gaps: first?.gaps ?? [],
    malformed: first?.malformed ?? 0,
    misfits: first?.misfits ?? 0,
    empty: ledgers.flatMap(({ empty }) => empty ?? []),
    cut: ledgers.flatMap(({ cut }) => cut),
    compared: others.map((other) => compare(first!, other)),
  }
}

/** The files by their form, in the order given. */
export async function filesByKind(files: readonly string[]): Promise<Map<RecordingKind, string[]>> {
  const byKind = new Map<RecordingKind, string[]>()
  for (const file of files) {
    const kind = await detect(file)
    byKind.set(kind, [...(byKind.get(kind) ?? []), file])
  }
  return byKind
}

/** Files of one form as one stream. */
export interface Folded {
  /** Nobody else's; whoever asked for it closes it. */
  readonly ledger: Ledger
  readonly malformed: number
  /** Files of which only the beginning could be unpacked, in a line each. */
  readonly cut: readonly string[]
  /** How far times ran back at most, and in which file; null: never. What came then is of the later time. */
  readonly back: { readonly ms: number; readonly file: string } | null
}

export async function foldFiles(
  kind: RecordingKind,
  files: readonly string[],
  options: LedgerOptions,
  progress: (line: string) => void,
): Promise<Folded> {
  progress(`${kind.name}: ${files.join(', ')}`)
  // Without a name: what does not fit into its cache lies in a file that nobody sees.
  const ledger = new Ledger(openDatabase(''), options)
  try {
    const state = createState()
    const { bootAware } = kind
    const saved = ledger.restore([{ source: 'recording', name: kind.name, bootAware, version: null }])
    restore(state, saved)
    const cut: string[] = []
    let back: Folded['back'] = null
    const recorder = new Recorder(saved.streams[0]!.id, (batch) => {
      fold(state, batch)
      ledger.commit(take(state))
    })
    const reader = kind.reader()
    for (const file of files) {
      const broken = await readFile(file, reader, recorder, progress)
      if (broken) cut.push(`${file}: gzip breaks off; what came before counts`)
      if (recorder.backMs > (back?.ms ?? 0)) back = { ms: recorder.backMs, file }
    }
    recorder.flush()
    finishRecording(state)
    ledger.commit(take(state))
    return { ledger, malformed: recorder.malformed + saved.streams[0]!.malformed, cut, back }
  } catch (error) {
    ledger.close()
    throw roomFault(error) ?? error
  }
}

/** SQLite's codes for a file that cannot be opened, written or made longer. */
const ROOM_CODES = new Set([10, 13, 14])

/** When what was folded does not fit on the disk; else undefined. */
export function roomFault(error: unknown): ReplayFault | undefined {
  const { errcode, message } = error as Error & { errcode?: number }
  if (errcode === undefined || !ROOM_CODES.has(errcode & 0xff)) return undefined
  return new ReplayFault(`no room to work in (${message}); SQLITE_TMPDIR may name a folder with more`)
}

async function replayKind(
  kind: RecordingKind,
  files: readonly string[],
  options: LedgerOptions,
  progress: (line: string) => void,
): Promise<LedgerResult> {
  const { ledger, malformed, cut } = await foldFiles(kind, files, options, progress)
  try {
    const sessions = Array.from(readSessions(ledger.db)).flat()
    const rejected = readRejected(ledger.db)
    return {
      kind: kind.name,
      files,
      sessions,
      rejected,
      empty: sessions.length + rejected.length === 0 ? emptyText(kind, files) : null,
      gaps: readGaps(ledger.db),
      malformed,
      misfits: countMisfits(ledger.db),
      cut,
    }
  } finally {
    ledger.close()
  }
}

/** Returns whether the file is gzip that breaks off. */
async function readFile(
  file: string,
  reader: LineReader,
  recorder: Recorder,
  progress: (line: string) => void,
): Promise<boolean> {
  reader.nextFile?.()
  const seenAt = Math.floor(statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
  let count = 0
  let broken = false
  const lines = new Lines((bytes, start, end, isWhole) => {
    reader.read(bytes, count === 0 ? afterMark(bytes, start) : start, end, recorder, isWhole, seenAt)
    if (++count % PROGRESS_LINES === 0) progress(`${file}: ${count} lines`)
  })
  const chunks = readFaulty(file, () => {
    broken = true
  })
  for await (const chunk of chunks) lines.feed(chunk)
  lines.end()
  return broken
}

function emptyText({ name, lacks }: RecordingKind, files: readonly string[]): string {
  return `${files.join(', ')}: ${name} that tells of no allocation${lacks === undefined ? '' : `; ${lacks}`}`
}

/** Two ledgers of the same run agree where (path, eight counters) are the same; nothing else is comparable. */
function compare(first: LedgerResult, other: LedgerResult): Comparison {
  const a = countersByPath(first.sessions)
  const b = countersByPath(other.sessions)
  const differences: Difference[] = []
  let equal = 0
  for (const path of new Set([...a.keys(), ...b.keys()])) {
    const mine = a.get(path) ?? null
    const theirs = b.get(path) ?? null
    if (mine === theirs) equal++
    else differences.push({ path, first: mine, other: theirs })
  }
  return { first: first.kind, other: other.kind, equal, differences }
}

function countersByPath(sessions: readonly SessionRecord[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const session of sessions) {
    for (const { username, id, client, peer } of session.allocations) {
      const path = `${session.realm}/${username}/${id}`
      const counters = JSON.stringify([...Object.values(client), ...(peer === null ? [] : Object.values(peer))])
      const before = found.get(path)
      found.set(path, before === undefined ? counters : `${before} ${counters}`)
    }
  }
  return found
}
