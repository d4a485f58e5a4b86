/**
 * Settings of somebody else's server that are changed for a moment. What they were is on the disk before they are
 * touched, so that whoever comes next can put back what a killed process has left behind.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { keepWhole } from './whole.ts'

export interface Borrowed {
  /** Which took it: `redis`. */
  readonly tool: string
  /** Whose it is: `redis://127.0.0.1:6379`. */
  readonly target: string
  /** Names and values as they were. */
  readonly settings: Readonly<Record<string, string>>
  /** What is made of each of them: whatever else it is has been set by somebody since. */
  readonly made: Readonly<Record<string, readonly string[]>>
  readonly process: number
  /** When that process was started, in the kernel's clock ticks; null where the kernel does not say. */
  readonly started: string | null
}

const folderOf = (data: string) => join(data, 'borrowed')

/** Returns how to say that all of it is back. Throws Unseen when the disk does not take it: then nothing is. */
export function borrow(data: string, what: Pick<Borrowed, 'tool' | 'target' | 'settings' | 'made'>): () => void {
  const own: Borrowed = { ...what, process: process.pid, started: startOf(process.pid) }
  const file = join(folderOf(data), `${process.pid}-${what.tool.replaceAll(' ', '-')}.json`)
  keepWhole(file, `${JSON.stringify(own)}\n`)
  return () => rmSync(file, { force: true })
}

export interface Left extends Borrowed {
  /** The process that borrowed it is still at work. */
  readonly isHeld: boolean
  /** Says that it is back. */
  forget(): void
}

/** What is borrowed from this target by anybody on this machine. */
export function borrowedFrom(data: string, target: string): Left[] {
  return filesIn(folderOf(data)).flatMap((file) => {
    const one = readBorrowed(file)
    if (one === undefined || one.target !== target) return []
    const isHeld = isRunning(one.process) && startOf(one.process) === one.started
    return { ...one, isHeld, forget: () => rmSync(file, { force: true }) }
  })
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => join(folder, name))
  } catch {
    return []
  }
}

function readBorrowed(file: string): Borrowed | undefined {
  try {
    const one = JSON.parse(readFileSync(file, 'utf8')) as Partial<Borrowed>
    const isText = (value: unknown) => typeof value === 'string'
    const isWhole =
      isText(one.target) &&
      typeof one.process === 'number' &&
      Object.values(one.settings!).every(isText) &&
      Object.values(one.made!).every((values) => Array.isArray(values) && values.every(isText))
    return isWhole ? (one as Borrowed) : undefined
  } catch {
    return undefined
  }
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Field 22 of `/proc/PID/stat` (proc(5)), so that another process with the same number is not taken for it. */
function startOf(id: number): string | null {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
