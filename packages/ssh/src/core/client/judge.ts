/** What logins tell that were tried again and again: where the seconds go, and what makes them. */
import { pairedDifference } from '@fettle/estimate'
import {
  type Evidence,
  type Finding,
  type Judgement,
  type Measure,
  note,
  type Quantity,
  type Table,
} from '@fettle/report'
import { lineEvidence } from '../evidence.ts'
import { foundAt, phasesTable, spread } from '../judge.ts'
import { type Login, type Phase, type PhaseKind, titleOf } from '../phase.ts'
import { STALL_SECONDS, type Stall, stallsOf } from '../stalls.ts'
import { softwareOf } from '../unseen.ts'
import { secondsText } from '../wait.ts'
import { type Effect, effectsOn, mean, seconds, secondsIn } from './effects.ts'
import { type Facts, type Run, runsOf, settingOf } from './facts.ts'
import { setBy } from './files.ts'
import { doorProof, namesProof, proofOf, shellProof, traceProof } from './proofs.ts'
import { COMMAND, SHELL, type Variant } from './variants.ts'

export function judgeLogins(facts: Facts): Judgement {
  const shown = shownRun(facts)
  if (shown === undefined) return { measures: [], tables: [], findings: [], unseen: [] }
  const { stalls, effects } = stallsAndEffects(facts)
  const found = stalls.map((one) => findingOf(one, facts))
  const isQuick = found.length === 0
  return {
    measures: measuresOf(facts),
    tables: [phasesTable(shown.login), ...experimentsTable(effects)],
    findings: [...found, ...(isQuick ? spread(shown.login, found) : []), ...failed(shown), ...notes(facts)],
    unseen: unseenOf(shown.login, facts, stalls),
  }
}

/** In one line why nobody was logged in; null: somebody was. */
export function failureOf(facts: Facts): string | null {
  const { runs } = facts
  const [first] = runs
  if (first === undefined) return 'nobody was logged in: it was broken off before that'
  if (runs.some(({ isIn }) => isIn)) return null
  const { failure, phases } = first.login
  const isAuthenticated = phases.some(({ kind }) => kind === 'session')
  const what = isAuthenticated ? 'the login did not come to its end' : 'nobody was logged in'
  const where = titleOf(reachedIn(first.login))
  if (first.end === 'limit') {
    return `${what}: nothing more came in this phase: ${where}; --limit is how long is waited`
  }
  if (first.end === 'stopped') return `${what}: it was broken off in this phase: ${where}`
  if (first.end === 'flood') return `${what}: it was sent far more than a login has, in this phase: ${where}`
  const why = failure === null ? 'ssh ended' : lineEvidence(failure).text
  return `${what}: ${why} (in this phase: ${where})${hint(first.login)}`
}

/** Nothing is closed that was not there. */
function reachedIn({ reached, isAccepted, phases }: Login): Phase {
  if (reached.kind !== 'close' || isAccepted) return reached
  return phases.findLast(({ kind }) => kind !== 'close') ?? reached
}

function hint({ failure, phases }: Login): string {
  const text = failure?.text ?? ''
  const isTyped = phases.some(({ kind }) => kind === 'password' || kind === 'interactive')
  if (isTyped && /Permission denied/.test(text)) return '; was that the password?'
  if (/password|keyboard-interactive/.test(text)) return '; with --password it is asked for, once'
  if (/Host key verification/.test(text)) return '; log in by hand once, and see whether its key is the right one'
  if (/Permission denied/.test(text))
    return '; a key with a passphrase has to be in an agent (ssh-add), or give --password'
  return ''
}

/** The login of the middle, of those that came through; else the first one that did not. */
function shownRun(facts: Facts): Run | undefined {
  const all = runsOf(facts, COMMAND.name)
  const through = all.filter(({ isIn }) => isIn).sort((a, b) => seconds(a) - seconds(b))
  return through[Math.floor(through.length / 2)] ?? all[0]
}

interface Waiting {
  readonly stall: Stall
  readonly run: Run
  /** How long it waited in each login of that kind. */
  readonly waits: readonly number[]
  /** Of those, the ones that are long. */
  readonly slow: readonly number[]
  readonly effects: readonly Effect[]
}

function stallsAndEffects(facts: Facts): { readonly stalls: readonly Waiting[]; readonly effects: readonly Effect[] } {
  const command = waitingIn(facts, COMMAND)
  const waited = (phase: Phase) => command.find(({ stall }) => isSame(stall.phase, phase))?.waits ?? []
  // What a login shell waits for more than a command does.
  const shell = waitingIn(facts, SHELL).filter(
    ({ stall: { phase }, waits }) => isOfShell(phase) && mean(waits) - mean(waited(phase)) >= STALL_SECONDS,
  )
  const stalls = [...command, ...shell].sort((a, b) => mean(b.waits) - mean(a.waits))
  const effects = stalls.flatMap((one) => one.effects)
  return {
    stalls,
    effects: effects.filter((one, i) => effects.findIndex((two) => two.variant.name === one.variant.name) === i),
  }
}

const isOfShell = ({ kind }: Phase) => kind === 'first' || kind === 'shell' || kind === 'close'
const isSame = (a: Phase, b: Phase) => a.kind === b.kind && a.subject === b.subject

/** Each phase that waits in any of these logins, told by the one in which it waits as long as in the middle. */
function waitingIn(facts: Facts, base: Variant): Waiting[] {
  // A shell that does not end may wait for somebody who types.
  const runs = runsOf(facts, base.name).filter(({ end }) => base === COMMAND || end === 'over')
  const all = runs.flatMap((run) => stallsOf(run.login, false).map((stall) => ({ stall, run })))
  const first = all.filter(({ stall }, i) => all.findIndex((one) => isSame(one.stall.phase, stall.phase)) === i)
  return first.map(({ stall: { phase } }) => {
    const same = all
      .filter(({ stall }) => isSame(stall.phase, phase))
      .sort((a, b) => a.stall.phase.us! - b.stall.phase.us!)
    const { stall, run } = same[Math.floor((same.length - 1) / 2)]!
    const waitIn = (one: Run) => same.find(({ run }) => run === one)?.stall.seconds
    const waits = runs.map((one) => waitIn(one) ?? secondsIn(one.login, phase))
    const effects = base === COMMAND ? effectsOn(phase, facts) : []
    return { stall, run, waits, slow: same.map((one) => one.stall.seconds), effects }
  })
}

function findingOf({ stall, run, waits, slow, effects }: Waiting, facts: Facts): Finding {
  const { phase, cause } = stall
  if (cause === undefined)
    return note('ssh.typing', '', 'Somebody takes that long to type; it is no part of the login.')
  const found = foundAt(cause, stall)
  const [change, trace] = [proofOf(phase, effects), traceProof(phase, facts)]
  const others = [namesProof(phase, facts), doorProof(phase, facts), shellProof(phase, waits, facts)]
  const proofs = [trace, change, ...others]
  const isMeasured = proofs.some((one) => one.isMeasured)
  const isKnown = change.isMeasured || trace.isMeasured
  const guess = isKnown ? [] : [found.cause ?? '']
  const says = [sometimes(waits, slow), ...guess, ...proofs.flatMap((one) => one.says), ...bareText(phase, facts)]
  return {
    ...found,
    ...(isChance(waits, slow) ? { severity: 'note' } : {}),
    says: run.end === 'limit' ? `${found.says.slice(0, -1)}, and then nothing was waited for any more.` : found.says,
    cause: says.filter((one) => one !== '').join(' '),
    confidence: isMeasured || found.confidence === 'measured' ? 'measured' : found.confidence,
    quantities: { wait: centre(slow) },
    evidence: [...setBy(phase.kind, facts.files ?? []), ...found.evidence.map((one) => ofLogin(one, run, facts))],
    // What was tried need not be tried by hand.
    remedy: [...next(phase, facts), ...found.remedy.filter((line) => !(isKnown && TRIED.test(line)))],
  }
}

/** The number is that of the file in which `--logs` keeps it. */
const ofLogin = ({ source, text }: Evidence, run: Run, { runs }: Facts): Evidence => ({
  source: `login ${runs.indexOf(run) + 1}, ${source}`,
  text,
})

const TRIED = /^to tell: (?:ssh|sftp|nc) /

/** What tells more, and is not done without being asked for. */
function next({ kind }: Phase, { traced }: Facts): string[] {
  if (kind === 'first' || kind === 'shell') {
    if (traced === null) return ['to tell: fettle ssh check HOST --trace names the file and the line']
    if (traced === 'failed') return []
    return ['on the server: make that line quick, or let only a shell in which somebody types come to it']
  }
  return ON_SERVER.has(kind) ? ['to tell, on the server, as root: fettle ssh check --server --user USER'] : []
}

const ON_SERVER: ReadonlySet<PhaseKind> = new Set(['banner', 'start', 'keys', 'account', 'password', 'session'])

/** One of many may be anybody's. */
const isChance = (waits: readonly number[], slow: readonly number[]) => waits.length >= 3 && slow.length === 1

function sometimes({ length }: readonly number[], slow: readonly number[]): string {
  return slow.length === length ? '' : `It comes and goes: ${slow.length} of ${length} logins waited.`
}

function bareText({ kind }: Phase, { settings, bareSeconds }: Facts): readonly string[] {
  if (kind !== 'client' || settings === null || bareSeconds === null) return []
  const [whole, bare] = [settings.seconds, bareSeconds].map(secondsText)
  return [`Reading the settings alone (ssh -G) takes ${whole}, and ${bare} without the files.`]
}

/** The usual one, with the interval in which it is. */
function centre(values: readonly number[]): Quantity {
  const usual = pairedDifference(
    values.map(() => 0),
    values,
    'independent',
  )
  if (usual === undefined || !Number.isFinite(usual.low)) return { value: values[0] ?? 0, unit: 's' }
  return { value: usual.value, unit: 's', low: Math.max(0, usual.low), high: usual.high }
}

function measuresOf(facts: Facts): Measure[] {
  const measure = (name: string, title: string, base: Variant): Measure[] => {
    const values = runsOf(facts, base.name)
      .filter(({ isIn }) => isIn)
      .map(seconds)
    return values.length === 0 ? [] : [{ name, title, quantity: centre(values), better: 'less' }]
  }
  return [...measure('login', 'login', COMMAND), ...measure('shell', 'login with a shell', SHELL)]
}

const WORDS: Readonly<Record<Effect['verdict'], string>> = {
  gone: 'the wait is gone',
  less: 'it waits less',
  stays: 'it waits as long',
  unclear: 'not to be told',
}

function experimentsTable(effects: readonly Effect[]): Table[] {
  if (effects.length === 0) return []
  const columns = [
    { name: 'change', title: 'CHANGED', flexible: true as const },
    { name: 'pairs', title: 'PAIRS' },
    { name: 'without', title: 'AS IT IS' },
    { name: 'with', title: 'CHANGED TO' },
    { name: 'verdict', title: '' },
  ]
  const rows = effects.map(({ variant, pairs, before, after, verdict }) => [
    variant.says,
    { value: pairs, unit: '1' } as const,
    { value: before, unit: 's' } as const,
    { value: after, unit: 's' } as const,
    WORDS[verdict],
  ])
  return [{ name: 'experiments', title: 'What changes it', columns, rows }]
}

/** It ends before anybody is logged in. */
function failed({ login, isIn, end }: Run): Finding[] {
  const { failure } = login
  if (isIn || end !== 'over') return []
  return [
    {
      ...note('ssh.failed', '', `The login fails in this phase: ${titleOf(reachedIn(login))}.`),
      severity: 'warning',
      evidence: failure === null ? [] : [lineEvidence(failure)],
      remedy: ['what comes before is measured all the same; look at that reason first'],
    },
  ]
}

function notes(facts: Facts): Finding[] {
  const master = settingOf(facts, 'controlmaster') ?? 'false'
  const isShared = settingOf(facts, 'controlpath') !== undefined
  const isLocal = settingOf(facts, 'permitlocalcommand') === 'yes' && settingOf(facts, 'localcommand') !== undefined
  const isEndless = runsOf(facts, SHELL.name).some(({ end }) => end === 'limit')
  const endless =
    'A login shell that has nothing to read does not end by itself: a menu, or another program. It was not measured.'
  const shared =
    `A connection that is there is used again (ControlPath, ControlMaster ${master}); ` +
    'here each login was a new one.'
  const local = 'LocalCommand is set. It was not run here, and what it takes is no part of these seconds.'
  return [
    ...(isShared ? [note('ssh.shared', '', shared)] : []),
    ...(isLocal ? [note('ssh.local-command', '', local)] : []),
    ...(isEndless ? [note('ssh.endless-shell', '', endless)] : []),
  ]
}

function unseenOf(login: Login, facts: Facts, stalls: readonly Waiting[]): Judgement['unseen'] {
  const server = {
    what: "the server's side",
    why: 'from here one sees that the server waits, not always for what; there: fettle ssh check --server',
  }
  const isOften = runsOf(facts, COMMAND.name).length > 1
  const once = { what: 'how sure the seconds are', why: 'one login was tried' }
  const isServer = stalls.some(({ stall: { phase } }) => ON_SERVER.has(phase.kind))
  const untried = facts.untried.map((name) => ({ what: `what it is like ${name}`, why: 'ssh refuses that' }))
  return [...(isServer ? [server] : []), ...untried, ...softwareOf(login), ...(isOften ? [] : [once])]
}
