/** Reads all that would be written, and writes nothing. */
import type { Io } from '@fettle/check'
import { counted, reportOf, type Table } from '@fettle/report'
import { sumOf } from '../core/directory.ts'
import { isEncrypted, kindOf } from '../core/entry.ts'
import { methodName } from '../decode/methods.ts'
import type { Found } from '../meant.ts'
import { MAX_RATIO, type Meant } from '../options.ts'
import { secretFor } from '../secret.ts'
import type { Done } from './answer.ts'
import type { Crew } from './crew.ts'
import { BYTES, FILES, newControl, OUTCOME } from './job.ts'
import { jobFor, measure, planFor, threadsOf, workOn } from './planned.ts'

export interface Verification extends Meant {
  /** Only the directory is read, and not the entries. */
  readonly isQuick: boolean
}

/** `began`: when looking began, milliseconds since 1970. Throws Unseen. */
export async function verify(found: Found, options: Verification, began: number, crew: Crew, io: Io): Promise<Done> {
  const { source, directory, end } = found.archive
  const secret = options.isQuick ? undefined : await secretFor(found, options, io)
  if (!options.isQuick) crew.grow(threadsOf(found))
  const plan = planFor(found, {
    strip: 0,
    keepsAll: false,
    makesLinks: true,
    hasSecret: secret !== undefined || options.isQuick,
    maxRatio: MAX_RATIO,
    maxBytes: Number.POSITIVE_INFINITY,
    maxFiles: Number.POSITIVE_INFINITY,
  })
  const control = newControl(directory.count)
  const job = jobFor(found, plan, control, { strip: 0, existing: 'skip', secret, output: undefined })
  const failure = options.isQuick ? undefined : await workOn(job, found, plan, crew, io)
  const isStopped = io.signal.aborted && !options.isQuick
  const whole = plan.files.reduce((sum, entry) => (control.outcomes[entry] === OUTCOME.written ? sum + 1 : sum), 0)
  const measures = [
    measure('archive-bytes', 'archive', source.size, 'B'),
    measure('entries', 'entries', directory.records, '1'),
    measure('directory-bytes', 'directory', end.directorySize, 'B'),
    measure('bytes', 'unpacked', sumOf(directory.columns.size, found.selected), 'B'),
    ...(options.isQuick ? [] : [measure('whole', 'files that are whole', whole, '1')]),
    measure('read', 'read', source.cost.bytes + Number(control.reads[BYTES]), 'B'),
  ]
  const stopped = isStopped ? `stopped after ${counted(Number(control.done[FILES]))} files` : undefined
  const why = failure ?? stopped
  const unseen = why === undefined ? [] : [{ what: 'the other files', why }]
  const report = reportOf(
    'zip check',
    source.name,
    { began, ended: Date.now() },
    { measures, tables: [methodsOf(found)], findings: plan.tally.findings(source.name), unseen },
  )
  return { report, failure: why }
}

/** How much is packed how. */
function methodsOf({ archive, selected }: Found): Table {
  const { columns } = archive.directory
  const sums = new Map<string, [number, number, number]>()
  for (const entry of selected) {
    const kind = kindOf(columns, entry)
    const name =
      kind === 'file'
        ? `${methodName(columns.method[entry]!)}${isEncrypted(columns, entry) ? ', encrypted' : ''}`
        : `${kind}s`
    const row = sums.get(name) ?? [0, 0, 0]
    row[0]++
    row[1] += columns.size[entry]!
    row[2] += columns.compressed[entry]!
    sums.set(name, row)
  }
  return {
    name: 'methods',
    title: 'What is in it',
    columns: [
      { name: 'method', title: 'method' },
      { name: 'entries', title: 'entries' },
      { name: 'bytes', title: 'unpacked' },
      { name: 'packed', title: 'packed' },
    ],
    rows: Array.from(sums, ([name, [count, bytes, packed]]) => [
      name,
      { value: count, unit: '1' },
      { value: bytes, unit: 'B' },
      { value: packed, unit: 'B' },
    ]),
  }
}
