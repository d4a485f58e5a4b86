/** Plan, write, report. */
import { mkdirSync, readdirSync, statfsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Io, Unseen } from '@fettle/check'
import { counted, reportOf, size as sizeText } from '@fettle/report'
import type { Plan } from '../core/plan.ts'
import type { Found } from '../meant.ts'
import type { Meant } from '../options.ts'
import { secretFor } from '../secret.ts'
import type { Done } from './answer.ts'
import type { Crew } from './crew.ts'
import { codeOf } from './fault.ts'
import { BYTES, type Control, type Existing, FILES, type Job, newControl, OUTCOME, READS } from './job.ts'
import { openManifest } from './manifest.ts'
import { foldersThere, makeFolders, makeLinks } from './others.ts'
import { jobFor, measure, planFor, threadsOf, workOn } from './planned.ts'
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

/** `began`: when looking began, milliseconds since 1970. Throws Unseen. */
export async function extractTo(found: Found, options: Extraction, began: number, crew: Crew, io: Io): Promise<Done> {
  const secret = await secretFor(found, options, io)
  if (!options.isPlanOnly) crew.grow(options.threads ?? threadsOf(found))
  const hasSecret = secret !== undefined
  const plan = planFor(found, { ...options, keepsAll: options.existing === 'rename', hasSecret })
  const control = newControl(found.archive.directory.count)
  if (options.isPlanOnly) tellTightness(options.folder, plan)
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
      unseen: [],
    },
  )
  return { report, failure }
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
  const tight = isNew ? tightness(folder, plan) : undefined
  if (tight !== undefined) throw new Unseen(`${folder}: ${tight}; select less or give another -d FOLDER`)
  const told = manifest === undefined ? undefined : openManifest(manifest, found)
  const stage = openStage(folder)
  try {
    const hidesNew = crew.isAlone && existing !== 'rename'
    const output = { folder, isNew, stage: stage.path, hidesNew }
    const job = jobFor(found, plan, control, { strip, existing, secret, output })
    // A run that was ended half-way has made them, and said nothing of them yet.
    const before = stage.isResumed ? new Set<number>() : foldersThere(job, found.decode, plan)
    const problem = await workOn(job, found, plan, crew, io)
    const why = problem ?? (io.signal.aborted ? 'stopped' : undefined) ?? (await makeOthers(job, found, plan, before))
    if (why !== undefined) tellUnfinished(job, plan, why)
    told?.write(found, control.outcomes)
    return why === undefined ? undefined : `${why}; ${goOn(job, plan)}`
  } finally {
    stage.close()
  }
}

/** A report of half of the work is not to look like one of all of it. */
function tellUnfinished({ control, output }: Job, { files, links, tally }: Plan, why: string): void {
  const left = files.length - Number(control.done[FILES]) + links.length
  if (left > 0) tally.add('unfinished', output!.folder, why, left)
}

/** Returns why not all of them could be made, in one line. */
async function makeOthers(job: Job, { archive, decode }: Found, plan: Plan, before: ReadonlySet<number>) {
  try {
    await makeLinks(job, archive.source, decode, plan)
    makeFolders(job, decode, plan, before)
    return undefined
  } catch (error) {
    if (error instanceof Unseen) return error.message
    throw error
  }
}

function goOn({ control }: Job, { files }: Plan): string {
  const isThere = (entry: number) => {
    const outcome = control.outcomes[entry]
    return outcome === OUTCOME.written || outcome === OUTCOME.same
  }
  const there = `${counted(files.filter(isThere).length)} of ${counted(files.length)} files are there, each whole`
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

/** Why all of it does not fit there, in a few words; undefined: it does. */
function tightness(folder: string, { bytes, files, folders }: Plan): string | undefined {
  const { bavail, bsize, ffree, files: inodes } = statfsSync(folder)
  const room = bavail * bsize
  if (bytes > room) return `${sizeText(bytes)} do not fit there, ${sizeText(room)} are free`
  const count = files.length + folders.length
  // Some file systems make inodes as they are needed, and tell of none.
  const isTight = inodes > 0 && count > ffree
  return isTight ? `${counted(count)} files do not fit there, ${counted(ffree)} inodes are free` : undefined
}

/** Of a folder that need not be there yet. Where something is in it already, that may be a part of it. */
function tellTightness(folder: string, plan: Plan): void {
  const path = resolve(folder)
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat !== undefined && (!stat.isDirectory() || readdirSync(path).length > 0)) return
  let there = path
  while (statSync(there, { throwIfNoEntry: false }) === undefined) there = dirname(there)
  const tight = tightness(there, plan)
  if (tight !== undefined) plan.tally.add('room', folder, tight)
}

function measuresOf({ archive, selected }: Found, plan: Plan, { outcomes, reads }: Control, options: Extraction) {
  const { source, directory } = archive
  const { size } = directory.columns
  const total = { [OUTCOME.written]: [0, 0], [OUTCOME.same]: [0, 0] } as Record<number, [number, number]>
  for (let i = 0; i < plan.files.length; i++) {
    const entry = plan.files[i]!
    const sum = total[outcomes[entry]!]
    if (sum === undefined) continue
    sum[0]++
    sum[1] += size[entry]!
  }
  const planned = [
    measure('entries', 'entries in the archive', directory.records, '1'),
    measure('selected', 'selected', selected.length, '1'),
    measure('planned', 'files to write', plan.files.length, '1'),
    measure('planned-bytes', 'bytes to write', plan.bytes, 'B'),
  ]
  const read = [
    measure('read', 'read', source.cost.bytes + Number(reads[BYTES]), 'B'),
    measure('requests', 'in pieces', source.cost.requests + Number(reads[READS]), '1'),
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
