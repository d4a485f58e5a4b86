/** The plan for the entries that were found, and how far work on it is. */
import type { Io } from '@fettle/check'
import { type Measure, size as sizeText, type Unit } from '@fettle/report'
import { FLAG, sumOf } from '../core/directory.ts'
import { type Entries, type Plan, type PlanOptions, planOf } from '../core/plan.ts'
import { spansOf } from '../core/spans.ts'
import { refusalOf } from '../decode/content.ts'
import { nameOf, storedOf } from '../entries.ts'
import { type Found, judgeFound } from '../meant.ts'
import { type Crew, threadsFor } from './crew.ts'
import { BYTES, type Control, FILES, type Job } from './job.ts'

/** What there is to tell of the archive is told in it too. */
export function planFor(found: Found, options: Omit<PlanOptions, 'seed'>): Plan {
  const plan = planOf(entriesOf(found), found.selected, { ...options, seed: Math.random() * 2 ** 32 })
  judgeFound(found, plan.tally)
  return plan
}

const METHODS = new Map<number, ReturnType<Entries['refusalOf']>>()

function entriesOf({ archive, decode }: Found): Entries {
  const { columns } = archive.directory
  return {
    columns,
    nameOf: (entry) => nameOf(columns, entry, decode),
    refusalOf(entry) {
      const encryption = columns.flags[entry]! & (FLAG.encrypted | FLAG.strong)
      const key = (columns.marks[entry]! & 0xff) * 2 ** 32 + columns.method[entry]! * 128 + encryption
      if (!METHODS.has(key)) METHODS.set(key, refusalOf(storedOf(columns, entry, 0)))
      return METHODS.get(key)
    },
    stop: archive.end.directoryStart,
  }
}

/** What is to be done with the files of a plan. `output`: where they go; undefined: nowhere. */
export function jobFor(
  found: Found,
  plan: Plan,
  control: Control,
  options: Pick<Job, 'strip' | 'existing' | 'secret' | 'output'>,
): Job {
  const { source, end, directory } = found.archive
  const { columns } = directory
  return {
    archive: { name: source.name, size: source.size, file: source.file },
    columns,
    order: plan.files,
    spans: spansOf(columns, plan.files, end.directoryStart, source.pace),
    encoding: found.encoding.name,
    control,
    ...options,
  }
}

/** As many threads as all that is selected is worth. Bytes from elsewhere come too slowly for more than one. */
export function threadsOf({ archive, selected }: Found): number {
  const { size } = archive.directory.columns
  return archive.source.file === undefined ? 1 : threadsFor(selected.length, sumOf(size, selected))
}

export const measure = (name: string, title: string, value: number, unit: Unit): Measure => ({
  name,
  title,
  quantity: { value, unit },
})

/** The job is done, and one sees how far it is. */
export async function workOn(job: Job, { archive, decode }: Found, plan: Plan, crew: Crew, io: Io) {
  const stopShowing = showProgress(job, plan, io)
  const { tally, failure } = await crew.work(job, archive.source, decode, io.signal).finally(stopShowing)
  plan.tally.take(tally.state)
  return failure
}

function showProgress({ control }: Job, { files, bytes }: Plan, io: Io): () => void {
  const began = process.uptime()
  const show = () => {
    const [done, count] = [Number(control.done[BYTES]), Number(control.done[FILES])]
    const seconds = process.uptime() - began
    const speed = sizeText(Math.round(done / seconds))
    io.progress(`${count} of ${files.length} files, ${sizeText(done)} of ${sizeText(bytes)}, ${speed}/s`)
  }
  const timer = setInterval(show, 200)
  return () => {
    clearInterval(timer)
    io.progress('')
  }
}
