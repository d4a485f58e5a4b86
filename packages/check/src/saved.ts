/** Reports that are kept, in the data folder's `reports/`: a file each, named by time, tool and subject. */
import { closeSync, constants, fstatSync, openSync, promises, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as othersFirst } from 'node:timers/promises'
import { jsonText, type Report, readReport, size } from '@fettle/report'
import { Unseen } from './command.ts'
import { keepWhole } from './whole.ts'

/** A report's file may be large, but not so large that reading it holds up whoever else waits. */
const BYTES_MAX = 8_000_000

const folderOf = (data: string) => join(data, 'reports')
const reasonOf = (error: unknown) => (error as NodeJS.ErrnoException).code

/** The name of every file that was kept: it sorts by time, and leads nowhere else. */
export const REPORT_NAME = /^(\d{4}-\d\d-\d\dT\d\d)(\d\d)(\d\d\.\d{3}Z)-[A-Za-z0-9.-]{1,200}\.json$/

/** Whatever a subject holds, its file lies in the folder and has a name that sorts by time. */
export function fileNameOf(tool: string, subject: string, now: number): string {
  const plain = (text: string) => text.replaceAll(/[^A-Za-z0-9.-]+/g, '-').slice(0, 60)
  return `${new Date(now).toISOString().replaceAll(':', '')}-${plain(tool)}-${plain(subject)}.json`
}

/** The time in a name; undefined: it has none, and is no report's. */
function timeOf(name: string): string | undefined {
  const [, hour, minute, second] = REPORT_NAME.exec(name) ?? []
  const time = `${hour}:${minute}:${second}`
  const ms = Date.parse(time)
  return Number.isNaN(ms) || new Date(ms).toISOString() !== time ? undefined : time
}

/** Returns the file. */
export function saveReport(data: string, report: Report, now: number): string {
  const file = join(folderOf(data), fileNameOf(report.tool, report.subject, now))
  const text = jsonText(report)
  if (Buffer.byteLength(text) > BYTES_MAX) {
    throw new Unseen(`${file}: is not kept, for it would be larger than ${size(BYTES_MAX)}`)
  }
  keepWhole(file, text)
  return file
}

/** A report that somebody names by its file, wherever that is. */
export function loadReport(file: string): Report {
  const text = readText(file, constants.O_RDONLY)
  const report = typeof text === 'string' ? readReport(text) : text
  if ('problem' in report) throw new Unseen(`${file}: ${report.problem}`)
  return report
}

/** In a few words, to stand behind the name of a file. */
interface Problem {
  readonly problem: string
}

const TOO_LARGE: Problem = { problem: `is larger than ${size(BYTES_MAX)}, too large for a report` }

/** Of the folder itself: a link may lead anywhere, and a pipe would be waited for. */
const OWN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

function readText(file: string, flags: number): string | Problem {
  try {
    const descriptor = openSync(file, flags)
    try {
      const stat = fstatSync(descriptor)
      if (flags === OWN && !stat.isFile()) return { problem: 'is no file' }
      if (stat.size > BYTES_MAX) return TOO_LARGE
      const bytes = readFileSync(descriptor)
      return bytes.length > BYTES_MAX ? TOO_LARGE : bytes.toString()
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    return { problem: `cannot be read (${reasonOf(error)})` }
  }
}

/** What a list says of a report. */
export interface Kept {
  /** Of its file, without the folder. */
  readonly name: string
  readonly tool: string
  readonly subject: string
  readonly at: string | null
  readonly keptAt: string
  readonly seconds: number | null
  readonly faults: number
  readonly warnings: number
  readonly notes: number
}

export interface KeptQuery {
  readonly tool?: string | undefined
  readonly subject?: string | undefined
  /** The name of a report; only older ones are looked at. */
  readonly before?: string | undefined
  readonly limit: number
}

/** `next`: what to give as `before` for those that are left; null: that is all. */
export interface KeptPage {
  readonly reports: readonly Kept[]
  readonly next: string | null
}

/** What is read for one page at most; a file counts as a block, however small it is. */
const READ_MAX = 16_000_000
const BLOCK = 16_000

const KNOWN_MAX = 10_000
const KNOWN_LETTERS_MAX = 4096

/** A report as its file holds it. */
export interface KeptReport {
  readonly text: string
  readonly report: Report
}

/** The kept reports of a data folder. A report there never changes: what was read of it once is known. */
export class KeptReports {
  readonly #folder: string
  readonly #known = new Map<string, Kept>()

  constructor(data: string) {
    this.#folder = folderOf(data)
  }

  /**
   * Newest first; what is no report is passed over. A page ends early, even without a report, when much was read for
   * it: `next` goes on from there.
   */
  async list({ tool, subject, before, limit }: KeptQuery): Promise<KeptPage> {
    const names = await this.#names(before)
    const reports: Kept[] = []
    let left = READ_MAX
    for (const [i, name] of names.entries()) {
      if (reports.length === limit || left <= 0) return { reports, next: names[i - 1]! }
      let kept = this.#known.get(name)
      if (kept === undefined) {
        await othersFirst()
        const text = this.#text(name)
        left -= Math.max(BLOCK, typeof text === 'string' ? text.length : 0)
        kept = this.#learn(name, text)
      }
      if (kept !== undefined && kept.tool === (tool ?? kept.tool) && kept.subject === (subject ?? kept.subject)) {
        reports.push(kept)
      }
    }
    return { reports, next: null }
  }

  load(name: string): KeptReport | Problem {
    const text = this.#text(name)
    if (typeof text !== 'string') return text
    const report = readReport(text)
    return 'problem' in report ? report : { text, report }
  }

  async #names(before: string | undefined): Promise<string[]> {
    let names: string[]
    try {
      // Of the module itself, which a command loads at its start, `promises` is loaded only here.
      names = await promises.readdir(this.#folder)
    } catch (error) {
      if (reasonOf(error) === 'ENOENT') return []
      throw new Unseen(`${this.#folder}: cannot be read (${reasonOf(error)})`)
    }
    const isAsked = (name: string) => REPORT_NAME.test(name) && (before === undefined || name < before)
    return names.filter(isAsked).sort().reverse()
  }

  #text(name: string): string | Problem {
    return timeOf(name) === undefined ? { problem: 'is no report’s name' } : readText(join(this.#folder, name), OWN)
  }

  #learn(name: string, text: string | Problem): Kept | undefined {
    const report = typeof text === 'string' ? readReport(text) : text
    if ('problem' in report) return undefined
    const kept = keptOf(name, report)
    if (kept.tool.length + kept.subject.length <= KNOWN_LETTERS_MAX) this.#known.set(name, kept)
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.keys().next().value!)
    return kept
  }
}

function keptOf(name: string, { tool, subject, at, seconds, findings }: Report): Kept {
  const count = (severity: string) => findings.filter((one) => one.severity === severity).length
  return {
    name,
    tool,
    subject,
    at,
    keptAt: timeOf(name)!,
    seconds,
    faults: count('fault'),
    warnings: count('warning'),
    notes: count('note'),
  }
}

/** The newest report that was kept, and the one before it of the same tool and subject. */
export async function lastTwo(data: string): Promise<[before: Report, after: Report]> {
  const kept = new KeptReports(data)
  const newest = await first(kept, {})
  if (newest === undefined) throw new Unseen(`${folderOf(data)}: no report was kept here; run a command with --save`)
  const { name, tool, subject } = newest
  const older = await first(kept, { tool, subject, before: name })
  if (older === undefined) {
    throw new Unseen(`${folderOf(data)}: there is one report of ${tool} ${subject}; a comparison needs two`)
  }
  const load = (one: Kept) => loadReport(join(folderOf(data), one.name))
  return [load(older), load(newest)]
}

async function first(kept: KeptReports, query: Omit<KeptQuery, 'limit'>): Promise<Kept | undefined> {
  const { reports, next } = await kept.list({ ...query, limit: 1 })
  return reports[0] ?? (next === null ? undefined : first(kept, { ...query, before: next }))
}
