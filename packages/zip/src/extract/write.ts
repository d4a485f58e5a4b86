/** Puts contents under their names in the folder that is extracted into: whole or not at all. */
import { rmSync, type Stats } from 'node:fs'
import { type Columns, MARK, modifiedMs } from '../core/directory.ts'
import { isDos, modeOf } from '../core/entry.ts'
import { refusalWords, targetOf } from '../core/target.ts'
import { type Decode, nameOf } from '../entries.ts'
import { Beside } from './beside.ts'
import { Blocked, Folder, type Opened } from './folder.ts'
import { type Hidden, isHidden } from './hidden.ts'
import type { Job, Output } from './job.ts'
import {
  closeDraft,
  type Draft,
  dropDraft,
  hasContent,
  openDraft,
  openFree,
  put,
  setGroup,
  setTime,
  there,
  writeAll,
} from './place.ts'
import { openShelf, type Shelf } from './stage.ts'

const PLAIN_MODE = 0o666

/** Where a file goes. */
interface Target {
  readonly path: string
  readonly name: string
  readonly folder: Opened
}

/** What has the name of an entry, where that is the end of it: the same, or something that is to stay. */
export type Left = 'same' | 'exists'

export class Writer {
  readonly #job: Job
  readonly #decode: Decode
  readonly #folder: Folder
  readonly #shelf: Shelf
  readonly #beside = new Beside()
  #drafts = 0

  /** `thread`: its number, other than that of all others. Throws Unseen. */
  constructor(job: Job, { folder, isNew, stage, hidesNew }: Output, decode: Decode, thread: number) {
    this.#job = job
    this.#decode = decode
    this.#folder = new Folder(folder, isNew)
    // From here on the folder has another name, or none.
    this.#shelf = openShelf(folder, stage, thread, hidesNew)
    if (hidesNew) this.#folder.hideIn(this.#shelf.path)
  }

  close(): void {
    this.#shelf.close()
    this.#folder.close()
  }

  /**
   * All that has been written is seen by everybody then. `single`: of what has to be put where it should be by itself;
   * `place` does so, and says what is left there instead.
   */
  giveNames(single: (entry: number, place: () => Left | undefined) => void): void {
    this.#folder.giveNames((hidden, depth) => {
      for (const entry of hidden.entries) single(entry, () => this.#move(entry, hidden, depth))
    })
  }

  #move(entry: number, { path }: Hidden, depth: number): Left | undefined {
    const draft = [path, ...segmentsOf(this.#job, entry, this.#decode).slice(depth)].join('/')
    const left = this.left(entry)
    if (left === undefined) this.#put(entry, draft)
    return left
  }

  left(entry: number): Left | undefined {
    const { columns, existing } = this.#job
    const { path, name, folder } = this.#target(entry)
    const stat = folder.isOurs ? undefined : there(folder.path, name)
    if (stat === undefined) return undefined
    if (stat.isDirectory()) throw new Blocked('a folder has its name')
    const isSame = (other: string, known: Stats) => isThere(columns, entry, folder.path, other, known)
    if (isSame(name, stat)) return 'same'
    if (existing === 'rename') return this.#beside.has(folder.path, name, path, isSame) ? 'same' : undefined
    const isReplaced = existing === 'overwrite' || (existing === 'newer' && stat.mtimeMs < modifiedMs(columns, entry))
    return isReplaced ? undefined : 'exists'
  }

  write(entry: number, content: Buffer): void {
    const target = this.#target(entry)
    const { folder, name } = target
    // Nobody sees there what is half-written.
    const direct = isHidden(folder.hidden) ? openFree(`${folder.path}/${name}`, this.#mode(entry)) : undefined
    const draft = direct ?? this.#draft(entry)
    try {
      writeAll(draft.file, content)
      this.#close(entry, draft)
    } catch (error) {
      const isGone = dropDraft(draft)
      if (direct !== undefined && !isGone) folder.hidden!.isSpoilt = true
      throw error
    }
    if (direct === undefined) this.#put(entry, draft.path, target)
    else folder.hidden!.entries.push(entry)
  }

  /** Whether it was not stopped before all were there. */
  async writeParts(entry: number, parts: AsyncIterable<Buffer>, isStopped: () => boolean): Promise<boolean> {
    const draft = this.#draft(entry)
    try {
      for await (const part of parts) {
        writeAll(draft.file, part)
        if (!isStopped()) continue
        dropDraft(draft)
        return false
      }
      this.#close(entry, draft)
    } catch (error) {
      dropDraft(draft)
      throw error
    }
    this.#put(entry, draft.path)
    return true
  }

  #target(entry: number): Target {
    const segments = segmentsOf(this.#job, entry, this.#decode)
    const folder = this.#folder.open(segments, segments.length - 1)
    return { path: segments.join('/'), name: segments.at(-1)!, folder }
  }

  #mode(entry: number): number {
    return (modeOf(this.#job.columns, entry) ?? PLAIN_MODE) & 0o777
  }

  #draft(entry: number): Draft {
    return openDraft(`${this.#shelf.path}/${this.#drafts++}`, this.#mode(entry))
  }

  #close(entry: number, draft: Draft): void {
    setTime(draft, modifiedMs(this.#job.columns, entry) / 1000)
    closeDraft(draft)
  }

  #put(entry: number, draft: string, known?: Target): void {
    try {
      const { path, name, folder } = known ?? this.#target(entry)
      if (folder.group !== undefined) setGroup(draft, folder.group)
      if (this.#job.existing === 'rename') this.#beside.put(draft, folder.path, name, path)
      else put(draft, folder.path, name)
      if (isHidden(folder.hidden)) folder.hidden.entries.push(entry)
    } catch (error) {
      rmSync(draft, { force: true })
      throw error
    }
  }
}

function isThere(columns: Columns, entry: number, folder: string, name: string, stat: Stats): boolean {
  if (!stat.isFile() || stat.size !== columns.size[entry]) return false
  // Without a CRC its time must do.
  if (columns.marks[entry]! & MARK.ae2) return Math.abs(stat.mtimeMs - modifiedMs(columns, entry)) < 2000
  return hasContent(folder, name, columns.size[entry]!, columns.crc[entry]!)
}

/** Where an entry goes, from the folder that is extracted into. */
export function segmentsOf({ columns, strip }: Job, entry: number, decode: Decode): readonly string[] {
  const target = targetOf(nameOf(columns, entry, decode), { strip, isDosHost: isDos(columns.host[entry]!) })
  // The plan has left out all that have none.
  if (!target.ok) throw new Blocked(refusalWords[target.why])
  return target.segments
}
