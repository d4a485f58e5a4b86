/** Reports that are kept, in the data folder's `reports/`: a file each, named by tool, subject and time. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { jsonText, type Report, readReport } from '@fettle/report'
import { Unseen } from './command.ts'
import { writeWhole } from './whole.ts'

const folderOf = (data: string) => join(data, 'reports')

/** Whatever a subject holds, its file lies in the folder and has a name that sorts by time. */
function nameOf({ tool, subject }: Report, now: number): string {
  const plain = (text: string) => text.replaceAll(/[^A-Za-z0-9.-]+/g, '-').slice(0, 60)
  return `${new Date(now).toISOString().replaceAll(':', '')}-${plain(tool)}-${plain(subject)}.json`
}

/** Returns the file. */
export function saveReport(data: string, report: Report, now: number): string {
  const file = join(folderOf(data), nameOf(report, now))
  try {
    mkdirSync(folderOf(data), { recursive: true, mode: 0o700 })
    writeWhole(file, jsonText(report))
    return file
  } catch (error) {
    throw new Unseen(`${file}: cannot be written (${(error as NodeJS.ErrnoException).code}); give another --data`)
  }
}

/** A report's file may be large, but not that large. */
const BYTES_MAX = 64 * 1024 * 1024

export function loadReport(file: string): Report {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Unseen(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  const report = text.length > BYTES_MAX ? { problem: 'is too large for a report' } : readReport(text)
  if ('problem' in report) throw new Unseen(`${file}: ${report.problem}`)
  return report
}

/** The newest report that was kept, and the one before it of the same tool and subject. */
export function lastTwo(data: string): [before: Report, after: Report] {
  const folder = folderOf(data)
  let files: string[]
  try {
    files = readdirSync(folder).filter((name) => name.endsWith('.json'))
  } catch {
    files = []
  }
  const [newest, ...older] = files.sort().reverse()
  if (newest === undefined) throw new Unseen(`${folder}: no report was kept here; run a command with --save`)
  const after = loadReport(join(folder, newest))
  for (const name of older) {
    const before = loadReport(join(folder, name))
    if (before.tool === after.tool && before.subject === after.subject) return [before, after]
  }
  throw new Unseen(`${folder}: there is one report of ${after.tool} ${after.subject}; a comparison needs two`)
}
