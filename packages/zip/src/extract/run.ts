/** Plan, write, report. */
import { mkdirSync, readdirSync, statfsSync, statSync } from 'node:fs'
import { type Io, Unseen } from '@fettle/check'
import { counted, plural, type Report, reportOf, size as sizeText } from '@fettle/report'
import type { Plan } from '../core/plan.ts'
import type { Found } from '../meant.ts'
import type { Meant } from '../options.ts'
import { secretFor } from '../secret.ts'
import type { Crew } from './crew.ts'
import { codeOf } from './fault.ts'
import { type Control, type Existing, FILES, type Job, newControl, OUTCOME } from './job.ts'
import { openManifest } from './manifest.ts'
import { makeFolders, makeLinks } from './others.ts'
import { crewFor, jobFor, planFor, workOn } from './planned.ts'
import { openStage } from './stage.ts'

/** Where files go, and what may become of them. */
export interface Extraction extends Meant {
  readonly folder: string
  /** How many folders are taken off the front of names. */
  readonly strip: number
  readonly existing: Existing
  readonly makesLinks: boolean
  readonly maxRatio: number
  readonly maxBytes: number
  readonly maxFiles: number
  /** undefined: as many as the work is worth. */
  readonly threads: number | undefined
  readonly isPlanOnly: boolean
  /** A file that gets a line for each entry. */
  readonly manifest: string | undefined
}

export interface Extracted {
  readonly report: Report
  /** Why not all was done that could be, in one line. */
  readonly failure: string | undefined
}

/** `began`: when looking began, milliseconds since 1970. Throws Unseen. */
export async function extractTo(found: Found, options: Extraction, began: number, io: Io): Promise<Extracted> {
  const secret = await secretFor(found, options, io)
  const crew = crewFor(found, options.isPlanOnly ? 1 : options.threads)
  try {
    const plan = planFor(found, {
      strip: options.strip,
      keepsAll: options.existing === 'rename',
      makesLinks: options.makesLinks,
      hasSecret: secret !== undefined,
      maxRatio: options.maxRatio,
      maxBytes: options.maxBytes,
      maxFiles: options.maxFiles,
    })
    const control = newControl(found.archive.directory.count)
    const failure = options.isPlanOnly ? undefined : await write(found, plan, control, options, secret, crew, io)
    const { name } = found.archive.source
    const report = reportOf(
      'zip extract',
      name,
      { began, ended: Date.now() },
      {
        measures: measuresOf(found, plan, control, options),
        tables: [],
        findings: plan.tally.findings(name),
        unseen: failure === undefined ? [] : [{ what: 'what was not written', why: failure }],
      },
    )
    return { report, failure }
  } finally {
    await crew.close()
  }
}

/** Returns why not all was done, in one line. */
async function write(
  found: Found,
  plan: Plan,
  control: Control,
  { folder, strip, existing, manifest }: Extraction,
  secret: Uint8Array | undefined,
  crew: Crew,
  io: Io,
): Promise<string | undefined> {
  const isNew = makeFolder(folder)
  checkRoom(folder, plan, isNew)
  const told = manifest === undefined ? undefined : openManifest(manifest, found)
  const stage = openStage(folder)
  try {
    const output = { folder, isNew, stage: stage.path }
    const job = jobFor(found, plan, control, { strip, existing, secret, output })
    const problem = await workOn(job, found, plan, crew, io)
    const why =
      problem ??
      (io.signal.aborted ? 'stopped' : undefined) ??
      (await makeOthers(job, found, plan, isNew || stage.isResumed))
    told?.write(found, control.outcomes)
    return why === undefined ? undefined : `${why}; ${goOn(job, plan)}`
  } finally {
    stage.close()
  }
}

/** Returns why not all of them could be made, in one line. */
async function makeOthers(job: Job, { archive, decode }: Found, plan: Plan, isOurs: boolean) {
  try {
    await makeLinks(job, archive.source, decode, plan)
    makeFolders(job, decode, plan, isOurs)
    return undefined
  } catch (error) {
    if (error instanceof Unseen) return error.message
    throw error
  }
}

function goOn({ control }: Job, { files }: Plan): string {
  const done = Number(control.done[FILES])
  const there = `${counted(done)} of ${plural(files.length, 'file')} are there, each whole`
  return `${there}; the same command goes on from there`
}

/** Whether nothing is in it. Throws Unseen. */
function makeFolder(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true })
    return readdirSync(folder).length === 0
  } catch (error) {
    const known = statSync(folder, { throwIfNoEntry: false })
    const isOther = known !== undefined && !known.isDirectory()
    const why = isOther ? 'is no folder, but a file or the like' : `cannot be made (${codeOf(error)})`
    throw new Unseen(`${folder}: ${why}; give another -d FOLDER`)
  }
}

/** Throws Unseen where it would not fit. Where something is there already, that may be a part of it. */
function checkRoom(folder: string, { bytes, files, folders }: Plan, isNew: boolean): void {
  const { bavail, bsize, ffree, files: inodes } = statfsSync(folder)
  const room = bavail * bsize
  if (!isNew) return
  if (bytes > room) {
    const free = `${sizeText(room)} are free`
    throw new Unseen(`${folder}: ${sizeText(bytes)} do not fit there, ${free}; select less or give another -d FOLDER`)
  }
  const count = files.length + folders.length
  // Some file systems make inodes as they are needed, and tell of none.
  if (inodes > 0 && count > ffree) {
    throw new Unseen(`${folder}: ${count} files do not fit there, ${ffree} inodes are free; give another -d FOLDER`)
  }
}

function measuresOf(
  { archive, selected }: Found,
  plan: Plan,
  { outcomes }: { outcomes: Uint8Array },
  options: Extraction,
) {
  const { source, directory } = archive
  const { size } = directory.columns
  const total = { [OUTCOME.written]: [0, 0], [OUTCOME.same]: [0, 0] } as Record<number, [number, number]>
  for (const entry of plan.files) {
    const sum = total[outcomes[entry]!]
    if (sum === undefined) continue
    sum[0]++
    sum[1] += size[entry]!
  }
  const measure = (name: string, title: string, value: number, unit: '1' | 'B') => ({
    name,
    title,
    quantity: { value, unit },
  })
  const planned = [
    measure('entries', 'entries in the archive', directory.records, '1'),
    measure('selected', 'selected', selected.length, '1'),
    measure('planned', 'files to write', plan.files.length, '1'),
    measure('planned-bytes', 'bytes to write', plan.bytes, 'B'),
  ]
  const read = [
    measure('read', 'read', source.cost.bytes, 'B'),
    measure('requests', 'in pieces', source.cost.requests, '1'),
  ]
  const archiveSize = measure('archive-bytes', 'archive', source.size, 'B')
  if (options.isPlanOnly) return [archiveSize, ...planned, ...read]
  const [written, same] = [total[OUTCOME.written]!, total[OUTCOME.same]!]
  return [
    archiveSize,
    ...planned,
    measure('written', 'written', written[0], '1'),
    measure('written-bytes', 'bytes written', written[1], 'B'),
    ...(same[0] === 0 ? [] : [measure('same', 'were there already', same[0], '1')]),
    ...read,
  ]
}
