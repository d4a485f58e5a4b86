/**
 * Putting something right: what would be done is shown, and done only when that is asked for; each thing is looked at
 * once more before it is touched, and what it was is on the disk by then.
 */
import { type Finding, type Judgement, note, type Report, reportOf, type Table } from '@fettle/report'
import { compare } from '@fettle/report/comparison'
import { type AnswerOptions, answer, readAnswerOptions, reportFlags } from './answer.ts'
import { type Command, EXIT, type Flag, type Given, type Status, Unseen } from './command.ts'
import type { Io } from './io.ts'
import { type Entry, type Item, isOpen, Journal } from './journal.ts'

export interface ChangeOptions extends AnswerOptions {
  readonly apply: boolean
  /** To put back what a run has changed: the last one, or that of a journal; null: not asked for. */
  readonly undo: { readonly file: string | null } | null
  /** What is done shall outlive a restart of the target. */
  readonly persist: boolean
}

export interface Change<O> {
  /** What is changed, as it stands in the report and in the journal. */
  target(options: O): string
  /** Throws Unseen. */
  open(options: O, io: Io): Promise<Hand>
}

/** What a tool has to be able to do with its target. */
export interface Hand {
  plan(): Promise<Plan>
  /** As it is now, in the same form as `was` and `becomes`; null: there is none. Throws Unseen. */
  read(item: Item): Promise<string | null>
  /** Returns why it was refused: then nothing has changed. Throws Unseen when nobody knows. */
  make(item: Item, value: string | null): Promise<string | null>
  /** Makes what was changed outlive a restart; returns why it was refused. */
  persist(): Promise<string | null>
  /** Measures again what the plan has measured before. */
  look(): Promise<Judgement>
  close(): void
}

export interface Plan {
  readonly items: readonly Item[]
  /** What there is to be said beside them. */
  readonly findings: readonly Finding[]
  readonly unseen: Judgement['unseen']
  /** Why nothing of it can be done from here, in one line. */
  readonly cannot: string | null
  /** Null: there is nothing to be measured that would show a difference. */
  readonly before: Judgement | null
}

export const changeFlags: readonly Flag[] = [
  { name: 'apply', says: 'do it; without this it is only shown' },
  { name: 'undo', value: 'journal', optional: true, says: 'put back what the last run has changed, or that one' },
  ...reportFlags,
]

export function readChangeOptions(given: Given): ChangeOptions {
  const { apply, undo, persist } = given.flags
  return {
    ...readAnswerOptions(given),
    apply: apply === true,
    undo: undo === undefined ? null : { file: typeof undo === 'string' ? undo : null },
    persist: persist === true,
  }
}

/** The command that shows, does and undoes. */
export function changing<O extends ChangeOptions>(about: Omit<Command<O>, 'run'>, change: Change<O>): Command<O> {
  return {
    ...about,
    async run(options, io) {
      const run = new Run(about.name, change.target(options), options, io)
      const hand = await change.open(options, io)
      try {
        return await (options.undo === null ? run.forward(hand) : run.back(hand, options.undo.file))
      } finally {
        io.progress('')
        hand.close()
      }
    },
  }
}

class Run {
  readonly #tool: string
  readonly #target: string
  readonly #options: ChangeOptions
  readonly #io: Io
  readonly #began = Date.now()

  constructor(tool: string, target: string, options: ChangeOptions, io: Io) {
    this.#tool = tool
    this.#target = target
    this.#options = options
    this.#io = io
  }

  async forward(hand: Hand): Promise<Status> {
    const plan = await hand.plan()
    const { items, findings, unseen, cannot } = plan
    const isAsked = this.#options.apply && items.length > 0
    if (isAsked && cannot === null && !this.#io.signal.aborted) return await this.#apply(hand, plan)
    const failure = cannot ?? (isAsked ? 'stopped before anything was changed' : null)
    return await this.#answer([...items.map(planned), ...findings], { unseen, failure })
  }

  async #apply(hand: Hand, plan: Plan): Promise<Status> {
    const { persist } = this.#options
    const journal = Journal.begin(this.#data, this.#about, persist, plan.items)
    const order = plan.items.map((_, i) => i)
    const { findings, failure } = await this.#each(journal, order, (i) => applyOne(hand, journal, i))
    const isMade = journal.entries.some(isOpen)
    if (isMade && failure === null && persist) findings.push(await persisted(hand))
    const isMeasured = isMade && failure === null && plan.before !== null && !this.#io.signal.aborted
    const after = isMeasured ? await orWhy(hand.look()) : null
    const { tables, gone } = this.#compared(plan.before, after instanceof Unseen ? null : after)
    const unseen = after instanceof Unseen ? [{ what: 'what has come of it', why: after.message }] : []
    const kept = isMade ? [this.#kept(journal)] : []
    const all = [...findings, ...kept, ...gone, ...plan.findings]
    return await this.#answer(all, { tables, unseen: [...plan.unseen, ...unseen], failure })
  }

  async back(hand: Hand, file: string | null): Promise<Status> {
    const journal = file === null ? Journal.last(this.#data, this.#about) : Journal.load(file, this.#about)
    const { apply } = this.#options
    const open = journal.entries.flatMap((one, i) => (isOpen(one) ? [i] : []))
    // What was done last is undone first.
    const { findings, failure } = await this.#each(journal, open.reverse(), (i) => undoOne(hand, journal, i, apply))
    const isUndone = open.some((i) => journal.entries[i]!.state === 'undone')
    const persist = this.#options.persist || journal.persist
    if (failure === null && isUndone && persist) findings.push(await persisted(hand))
    const nothing = open.length > 0 ? [] : [note('change.undone', journal.file, 'all of it was undone before.')]
    return await this.#answer([...findings, ...nothing], { failure })
  }

  /** Ends at the first that could not be told, and when somebody has had enough: the others are not touched. */
  async #each(journal: Journal, order: readonly number[], step: (index: number) => Promise<Finding>) {
    const findings: Finding[] = []
    const left = (from: number) => order.slice(from).map((i) => untouched(journal.entries[i]!))
    for (const [n, i] of order.entries()) {
      if (this.#io.signal.aborted)
        return { findings: [...findings, ...left(n)], failure: 'stopped before all was done' }
      this.#io.progress(`${n + 1} of ${order.length}: ${journal.entries[i]!.what}`)
      try {
        findings.push(await step(i))
      } catch (error) {
        if (!(error instanceof Unseen)) throw error
        return { findings: [...findings, unknown(journal.entries[i]!), ...left(n + 1)], failure: error.message }
      }
    }
    return { findings, failure: null }
  }

  get #about() {
    return { tool: this.#tool, target: this.#target }
  }

  get #data(): string {
    return this.#options.data ?? this.#io.data
  }

  #kept({ file }: Journal): Finding {
    const undo = `fettle ${this.#tool} ${this.#target} --undo ${file} --apply`
    return { ...note('change.journal', file, 'holds what was changed, and what it was before.'), undo }
  }

  #compared(before: Judgement | null, after: Judgement | null): { tables: readonly Table[]; gone: readonly Finding[] } {
    if (before === null || after === null) return { tables: [], gone: [] }
    const comparison = compare(this.#report(before), this.#report(after))
    if ('problem' in comparison) throw new Error(comparison.problem)
    const rows = comparison.changes.map(({ title, before: a, after: b, verdict }) => [title, a, b, verdict])
    const titles = ['MEASURE', 'BEFORE', 'AFTER', '']
    const columns = ['measure', 'before', 'after', 'verdict'].map((name, i) => ({ name, title: titles[i]! }))
    const gone = comparison.gone.map(({ code, subject, says }) => note(code, subject, `Not found any more: ${says}`))
    return { tables: [{ name: 'compared', title: 'Looked at before and after', columns, rows }], gone }
  }

  #report(judgement: Judgement): Report {
    return reportOf(this.#tool, this.#target, { began: this.#began, ended: Date.now() }, judgement)
  }

  /** `failure`: why it is not all that was asked for, in one line. */
  async #answer(findings: readonly Finding[], more: Partial<Judgement> & { failure: string | null }): Promise<Status> {
    const { failure, tables = [], unseen = [] } = more
    const isPlan = findings.some(({ code }) => code === 'change.planned')
    const status = await answer(this.#report({ measures: [], tables, findings, unseen }), this.#options, this.#io)
    if (failure === null) {
      if (isPlan && !this.#options.json) await this.#io.write('Nothing was changed: --apply does it.\n')
      return status
    }
    this.#io.complain(failure)
    return EXIT.couldNot
  }
}

async function applyOne(hand: Hand, journal: Journal, i: number): Promise<Finding> {
  const { what, was, becomes, moves, undo, lost } = journal.entries[i]!
  const now = await hand.read(journal.entries[i]!)
  if (now !== was && !moves) {
    journal.mark(i, { state: 'left' })
    return warning('change.left', what, `is ${shown(now)} by now, not ${shown(was)}: left alone.`)
  }
  const entry = journal.mark(i, { state: 'begun', was: now })
  const refusal = await hand.make(entry, becomes)
  const is = refusal === null ? await hand.read(entry) : now
  if (refusal !== null || (is === now && !moves)) {
    journal.mark(i, { state: 'left' })
    return warning('change.left', what, refusal === null ? `is still ${shown(is)}.` : `was refused: ${refusal}`)
  }
  journal.mark(i, { state: 'done', is })
  const says = lost === null ? `was ${shown(now)}, is ${shown(is)}.` : `done: ${lost}`
  return { ...note('change.done', what, says), undo }
}

/** Without `apply`, what it would be. */
async function undoOne(hand: Hand, journal: Journal, i: number, apply: boolean): Promise<Finding> {
  const entry = journal.entries[i]!
  const { what, was, state, command, undo, lost } = entry
  if (lost !== null) return note('change.final', what, `undo: ${undo}.`)
  const made = entry.is ?? entry.becomes
  const now = await hand.read(entry)
  if (now === was) return await asItWas(hand, journal, i, apply)
  if (now !== made) {
    return warning('change.left', what, `is ${shown(now)}, not ${shown(made)} as it was set from here: left alone.`)
  }
  if (!apply) return planned({ ...entry, why: '', was: now, becomes: was, command: undo, undo: command })
  journal.mark(i, { state: 'begun' })
  const refusal = await hand.make(entry, was)
  const is = refusal === null ? await hand.read(entry) : now
  if (is !== was) {
    journal.mark(i, { state })
    return warning('change.left', what, refusal === null ? `is still ${shown(is)}.` : `was refused: ${refusal}`)
  }
  journal.mark(i, { state: 'undone' })
  return note('change.undone', what, `was ${shown(now)}, is ${shown(is)} again.`)
}

/** Killed in between, it may stand there as it was while the target still goes by what was made: it is made again. */
async function asItWas(hand: Hand, journal: Journal, i: number, apply: boolean): Promise<Finding> {
  const entry = journal.entries[i]!
  const { what, was, state } = entry
  const isUnsure = state === 'begun'
  if (isUnsure && !apply) return note('change.undone', what, `is ${shown(was)}; --apply sees to it that it counts.`)
  const refusal = isUnsure ? await hand.make(entry, was) : null
  if (refusal !== null) return warning('change.left', what, `was refused: ${refusal}`)
  if (apply) journal.mark(i, { state: 'undone' })
  return note('change.undone', what, `is ${shown(was)} ${isUnsure ? 'again' : 'already'}.`)
}

function planned({ what, why, was, becomes, command, undo, lost }: Item): Finding {
  const says = lost ?? `${shown(was)} becomes ${shown(becomes)}.`
  const cause = why === '' ? {} : { cause: why }
  return { ...warning('change.planned', what, says), ...cause, remedy: [command], undo }
}

const unknown = (entry: Entry): Finding =>
  entry.state === 'begun'
    ? { ...warning('change.unknown', entry.what, 'may be changed or not; --undo sees to it.'), severity: 'fault' }
    : untouched(entry)

const untouched = ({ what }: Entry) => warning('change.untouched', what, 'was not touched.')

async function persisted(hand: Hand): Promise<Finding> {
  const refusal = await orWhy(hand.persist())
  if (refusal === null) return note('change.persisted', '', 'It outlives a restart.')
  const why = refusal instanceof Unseen ? refusal.message : refusal
  return warning('change.not-persisted', '', `It does not outlive a restart: ${why}`)
}

/** What comes after a change may fail, and what was changed is told all the same. */
async function orWhy<T>(doing: Promise<T>): Promise<T | Unseen> {
  try {
    return await doing
  } catch (error) {
    if (!(error instanceof Unseen)) throw error
    return error
  }
}

const warning = (code: Finding['code'], subject: string, says: string): Finding => ({
  ...note(code, subject, says),
  severity: 'warning',
})

const SHOWN_MAX = 80

function shown(value: string | null): string {
  if (value === null) return 'none'
  if (value === '') return 'empty'
  return value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}...` : value
}
