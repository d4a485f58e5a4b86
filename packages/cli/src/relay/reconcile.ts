/** `fettle relay reconcile`: what coturn's log says beside the records, and putting them right by it. */

import { EXIT, type Io } from '@fettle/check'
import {
  type AllocationFacts,
  allocationRecord,
  type Difference,
  type FilePlan,
  isHeld,
  type Outcomes,
  openLedger,
  planFrom,
  type Reconciliation,
  reconcileFolder,
  type ServeOptions,
  writeReconciliation,
} from '@fettle/relay'
import { reconciled } from '@fettle/relay/api'
import { plural, printable, size, table, wrap } from '@fettle/report'
import { Command } from 'commander'
import { meterOn, send } from './client.ts'
import { examplesText, type Flags, folderOptions, withSettings } from './settings.ts'

/** Shown in help; a test runs each of them. `turnserver.log` is a recording. */
export const reconcileExamples = [
  'fettle relay reconcile turnserver.log',
  'fettle relay reconcile --server default turnserver.log --json',
  'fettle relay reconcile --apply turnserver.log',
] as const

type Verdict = Difference['verdict']

/** As users read them. */
const words: Readonly<Record<Verdict, string>> = {
  completes: 'to be made whole',
  adds: 'to be added',
  'not over': 'not over yet',
  lacks: 'not whole in the log',
  contradicts: 'contradicts',
  unclear: 'unclear',
}

type Doubt = NonNullable<Difference['why']>

const doubts: Readonly<Record<Doubt, string>> = {
  several: 'several allocations of this name fit, so it is left alone',
  'no times': 'the log has no times, so nothing can be added from it; see --new-log-timestamp of coturn',
  server: 'several servers may have heard it; give --server and the logs of that one',
  'no gap': 'the meter missed nothing then; it may not have been there yet, or the coturn reported elsewhere',
}

/** What was done, beside the plan; null: nothing, for nobody asked for it. */
type Applied = { readonly whole: number; readonly added: number; readonly left: number } | null

export function reconcileCommand(io: Io, done: (status: number) => void): Command {
  return folderOptions(new Command('reconcile'))
    .description("hold the records against coturn's log, and make whole what the meter missed")
    .argument('<file...>', "coturn's log, oldest file first; gzip is read; other recordings do as well")
    .option('--server <name>', 'only what this coturn reported (give the logs of one coturn at a time)')
    .option('--username <template>', 'what a username says, while no meter runs (FETTLE_USERNAME)')
    .option('--linger <seconds>', 'as for serve, while no meter runs (FETTLE_LINGER)')
    .option('--apply', 'do it; without it nothing is changed')
    .option('--json', 'as JSON, with every difference')
    .addHelpText('after', examplesText(reconcileExamples))
    .addHelpText('after', 'Exit status: 0 nothing differs, 1 something does, 3 it could not be looked at.')
    .action(async (files: string[], flags: Flags) =>
      done(await withSettings(flags, io, (options) => runReconcile(files, options, flags, io))),
    )
}

async function runReconcile(files: readonly string[], options: ServeOptions, flags: Flags, io: Io): Promise<number> {
  const plan = await makePlan(files, options, flags, io)
  for (const line of plan.cut) io.complain(line)
  const applied = flags.apply === true ? await apply(plan, options, io) : null
  if (flags.json) await writeJson(plan, files, applied, io)
  else await io.write(planText(plan, applied, io.width))
  const isLeft = plan.differences.some(({ verdict }) => !(verdict === 'not over' || (applied && isToDo(verdict))))
  return isLeft || (applied?.left ?? 0) > 0 ? EXIT.findings : EXIT.nothing
}

const isToDo = (verdict: Verdict) => verdict === 'completes' || verdict === 'adds'

async function makePlan(files: readonly string[], options: ServeOptions, flags: Flags, io: Io): Promise<FilePlan> {
  const { data, template, lingerMs } = options
  const db = openLedger(data)
  try {
    const server = typeof flags.server === 'string' ? { server: flags.server } : {}
    return await planFrom(db, files, { template, lingerMs, progress: io.progress, ...server })
  } finally {
    io.progress('')
    db.close()
  }
}

/** A running meter takes so many at once. */
const AT_ONCE = 500

async function apply(plan: FilePlan, { data, template, lingerMs }: ServeOptions, io: Io): Promise<Applied> {
  const parts = partsOf(plan)
  const doing = isHeld(data) ? sendAll(data, parts) : reconcileFolder(data, { template, lingerMs }, parts, Date.now())
  const applied = { whole: 0, added: 0, left: 0 }
  let done = 0
  for await (const { completions, additions } of doing) {
    const whole = (outcomes: readonly string[]) => outcomes.filter((one) => one === 'whole').length
    applied.whole += whole(completions)
    applied.added += whole(additions)
    applied.left += [...completions, ...additions].filter((one) => one !== 'whole' && one !== 'unchanged').length
    done += completions.length + additions.length
    io.progress(`${done} of ${plan.completions.length + plan.additions.length} put right`)
  }
  io.progress('')
  return applied
}

function partsOf({ completions, additions }: Reconciliation): Reconciliation[] {
  const parts: Reconciliation[] = []
  for (let at = 0; at < Math.max(completions.length, additions.length); at += AT_ONCE) {
    const to = at + AT_ONCE
    parts.push({ completions: completions.slice(at, to), additions: additions.slice(at, to) })
  }
  return parts
}

async function* sendAll(data: string, parts: readonly Reconciliation[]): AsyncGenerator<Outcomes> {
  const meter = meterOn(data)
  for (const part of parts) yield await send(meter, '/v1/reconcile', writeReconciliation(part), reconciled)
}

const iso = (t: number | null) => (t === null ? null : new Date(t).toISOString())

/** A difference a line: a million of them in one text would be more than a string can hold. */
async function writeJson(plan: FilePlan, files: readonly string[], applied: Applied, io: Io): Promise<void> {
  const { allocations, from, to, aheadMs, equal, differences, absent, malformed, cut } = plan
  const head = JSON.stringify({
    schema: 'fettle.relay.reconcile/1',
    files,
    log: { allocations, from: iso(from), to: iso(to), malformed, cut },
    clockAheadSeconds: aheadMs / 1000,
    equal,
    absent,
    applied,
  })
  await io.write(`${printable(head.slice(0, -1))},"differences":[`)
  for (let at = 0; at < differences.length; at += PAGE) {
    const page = differences.slice(at, at + PAGE).map((one) => printable(JSON.stringify(differenceJson(one))))
    await io.write(`${at > 0 ? ',' : ''}\n${page.join(',\n')}`)
  }
  await io.write('\n]}\n')
}

const PAGE = 500

function differenceJson({ verdict, why, mine, other }: Difference): object {
  const { realm, device } = (mine ?? other)!
  const [here, log] = [mine && allocationRecord(mine), other && allocationRecord(other)]
  return { verdict, why: why ?? null, realm, device, here, log }
}

const ROWS_MAX = 20

function planText(plan: FilePlan, applied: Applied, width: number): string {
  const { allocations, from, to, aheadMs, equal, differences, absent, malformed } = plan
  const span = from === null || to === null ? 'without times' : `${clock(from)} to ${clock(to)} UTC`
  const lines = [`the log: ${plural(allocations, 'allocation')}, ${span}`]
  if (aheadMs !== 0) {
    const far = `${Math.abs(aheadMs / 1000)} s ${aheadMs > 0 ? 'behind' : 'ahead'}`
    lines.push(`its clock is ${far}; times are set right by that`)
  }
  if (malformed > 0) lines.push(`unreadable: ${plural(malformed, 'line')}`)
  lines.push(`the same here: ${equal}${differences.length > 0 ? `; different: ${differences.length}` : ''}`)
  if (absent > 0) lines.push(`here and not in the log, in that time: ${absent}`)
  const shown = differences.slice(0, ROWS_MAX)
  if (shown.length > 0) lines.push('', table(columns, shown.map(rowOf), width).trimEnd())
  if (differences.length > ROWS_MAX) lines.push(`and ${differences.length - ROWS_MAX} more; --json has them all`)
  const reasons = new Set(differences.flatMap(({ why }) => why ?? []))
  if (reasons.size > 0) lines.push('', ...Array.from(reasons).flatMap((why) => wrap(`${why}: ${doubts[why]}`, width)))
  return `${[...lines, ...ending(plan, applied)].join('\n')}\n`
}

const columns = [
  { title: 'ALLOCATION' },
  { title: 'USERNAME', flexible: true },
  { title: 'HERE', right: true },
  { title: 'LOG', right: true },
  { title: '' },
]

const clock = (t: number) => new Date(t).toISOString().slice(0, 19).replace('T', ' ')

function rowOf({ verdict, why, mine, other }: Difference): string[] {
  const { coturnId, username } = (mine ?? other)!
  return [
    coturnId,
    printable(username),
    bytesText(mine),
    bytesText(other),
    why === undefined ? words[verdict] : `${words[verdict]}: ${why}`,
  ]
}

/** What the client moved, and a sign where more may be missing. */
function bytesText(facts: AllocationFacts | null): string {
  if (facts === null) return '-'
  const { receivedBytes, sentBytes } = facts.client
  return `${facts.quality === 'lower_bound' ? '>= ' : ''}${size(receivedBytes + sentBytes)}`
}

function ending(plan: FilePlan, applied: Applied): string[] {
  const { completions, additions } = plan
  if (applied !== null) {
    const done = `${applied.whole} made whole, ${applied.added} added`
    return ['', applied.left === 0 ? done : `${done}; ${applied.left} left as they are: they have changed meanwhile`]
  }
  if (completions.length + additions.length === 0) return []
  const bytes = plan.differences.filter(({ verdict }) => isToDo(verdict)).reduce((sum, one) => sum + missed(one), 0)
  const what = [
    ...(completions.length > 0 ? [`${completions.length} can be made whole`] : []),
    ...(additions.length > 0 ? [`${additions.length} can be added`] : []),
  ].join(', ')
  return ['', `${what}: ${size(bytes)} that the records lack.`, 'Nothing is changed without --apply.']
}

function missed({ mine, other }: Difference): number {
  const bytes = (facts: AllocationFacts | null) => (facts ? facts.client.receivedBytes + facts.client.sentBytes : 0)
  return bytes(other) - bytes(mine)
}
