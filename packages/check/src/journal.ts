/** What was changed, kept in the data folder's `undo/` so that it can be put back: a file for each run. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Unseen } from './command.ts'
import { fileNameOf } from './saved.ts'
import { keepWhole } from './whole.ts'

/** One thing that is changed. What the values are, and how they are read, is the tool's business. */
export interface Item {
  /** By which the tool knows it again: a setting's name, a file. */
  readonly what: string
  readonly why: string
  /** null: there is none. */
  readonly was: string | null
  readonly becomes: string | null
  /** The commands, as a person would type them; without one, in words why there is none. */
  readonly command: string
  readonly undo: string
  /** What nothing brings back, in a sentence; null: it can be undone. */
  readonly lost: string | null
  /** It goes on changing by itself: what it is in the moment when it is changed is what is kept. */
  readonly moves?: true
}

export interface Entry extends Item {
  /**
   * `begun` is on the disk before it is touched, either way, so after a kill it says that it may have been; `left`: it
   * was found changed by others, or was refused.
   */
  readonly state: 'planned' | 'begun' | 'done' | 'left' | 'undone'
  /** What it was read as after it was changed. */
  readonly is: string | null
}

/** Whose changes they are. */
export interface About {
  readonly tool: string
  readonly target: string
}

interface Content extends About {
  readonly schema: 'fettle.undo/1'
  /** ISO 8601. */
  readonly at: string
  /** It was made to outlive a restart of the target, and so is its undo. */
  readonly persist: boolean
  readonly entries: readonly Entry[]
}

const folderOf = (data: string) => join(data, 'undo')

export class Journal {
  readonly file: string
  #content: Content

  private constructor(file: string, content: Content) {
    this.file = file
    this.#content = content
  }

  /** It is on the disk when something is marked in it. */
  static begin(data: string, { tool, target }: About, persist: boolean, items: readonly Item[]): Journal {
    const now = Date.now()
    const entries = items.map((item): Entry => ({ ...item, state: 'planned', is: null }))
    const at = new Date(now).toISOString()
    // Two runs may begin in the same millisecond.
    const file = join(folderOf(data), fileNameOf(tool, `${process.pid} ${target}`, now))
    return new Journal(file, { schema: 'fettle.undo/1', tool, target, at, persist, entries })
  }

  /** The last one of this target in which something can still be undone. Throws Unseen. */
  static last(data: string, { tool, target }: About): Journal {
    const folder = folderOf(data)
    for (const name of namesIn(folder)) {
      const content = readContent(join(folder, name))
      if ('problem' in content || content.tool !== tool || content.target !== target) continue
      if (content.entries.some((one) => isOpen(one) && one.lost === null))
        return new Journal(join(folder, name), content)
    }
    throw new Unseen(`${folder}: nothing is kept here that could be undone at ${target}`)
  }

  /** The one in this file, which must be of this target. Throws Unseen. */
  static load(file: string, { tool, target }: About): Journal {
    const content = readContent(file)
    if ('problem' in content) throw new Unseen(`${file}: ${content.problem}`)
    if (content.tool !== tool || content.target !== target) {
      throw new Unseen(`${file}: is of ${content.tool} ${content.target}, not of ${tool} ${target}`)
    }
    return new Journal(file, content)
  }

  get persist(): boolean {
    return this.#content.persist
  }

  get entries(): readonly Entry[] {
    return this.#content.entries
  }

  /** One entry is changed, which is on the disk then. Throws Unseen when the disk does not take it: it is as before. */
  mark(index: number, change: Partial<Entry>): Entry {
    const entries = this.entries.map((one, i) => (i === index ? { ...one, ...change } : one))
    const content = { ...this.#content, entries }
    keepWhole(this.file, `${JSON.stringify(content, undefined, 1)}\n`)
    this.#content = content
    return entries[index]!
  }
}

/** It may have been touched, and was not put back. */
export const isOpen = ({ state }: Entry): boolean => state === 'begun' || state === 'done'

/** The newest first. */
function namesIn(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
    return names.sort().reverse()
  } catch {
    return []
  }
}

/** A journal holds a slow log at most. */
const BYTES_MAX = 64 * 1024 * 1024

function readContent(file: string): Content | { readonly problem: string } {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    return { problem: `cannot be read (${(error as NodeJS.ErrnoException).code})` }
  }
  try {
    const content = text.length > BYTES_MAX ? undefined : (JSON.parse(text) as Partial<Content> | null)
    if (content?.schema === 'fettle.undo/1' && Array.isArray(content.entries) && content.entries.every(isEntry)) {
      return content as Content
    }
  } catch {}
  return { problem: 'is no journal of changes (fettle.undo/1)' }
}

function isEntry(value: unknown): boolean {
  const one = (value ?? {}) as Readonly<Record<string, unknown>>
  const isText = (name: string) => typeof one[name] === 'string'
  const isTextOrNull = (name: string) => one[name] === null || isText(name)
  return ['what', 'command', 'undo', 'state'].every(isText) && ['was', 'becomes', 'lost', 'is'].every(isTextOrNull)
}
