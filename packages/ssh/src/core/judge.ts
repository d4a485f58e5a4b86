/** What a log of a login tells: where its seconds went, why, and what it cannot tell. */
import type { Cell, Column, Finding, Judgement, Measure, Table } from '@fettle/report'
import { CLIENT_CAUSES } from './causes-client.ts'
import { SERVER_CAUSES } from './causes-server.ts'
import { gapEvidence, lineEvidence, lineText } from './evidence.ts'
import type { Log } from './log.ts'
import { type Login, PHASES, type Phase, type PhaseKind } from './phase.ts'
import { readLogin } from './read.ts'
import { unseenOf } from './unseen.ts'
import { type Cause, lookedUpAgain, secondsText, type Wait } from './wait.ts'

/** Nobody minds less. A quick login takes 0.3 s in all. */
const STALL_SECONDS = 1
/** With stamps of whole seconds as much can be due to them alone. */
const WHOLE_SECONDS = 2
/** What is shorter, and comes again and again, is the way there and back. */
const SINGLE_SECONDS = 0.5
const SLACK_SECONDS = 0.1
/** Of a phase, where the rest of it may be left out. */
const MOST = 0.8

const CAUSES: Readonly<Partial<Record<PhaseKind, (wait: Wait) => Cause>>> = { ...CLIENT_CAUSES, ...SERVER_CAUSES }

/** No part of logging in: somebody types, or works; or it is the other side's business. */
const OUTSIDE: readonly PhaseKind[] = ['typing', 'use', 'close', 'idle']

/** Somebody is logged in by then. */
const AFTER: readonly PhaseKind[] = ['first', 'shell', 'use', 'close']

export function judge(log: Log): Judgement {
  const login = readLogin(log)
  const slow = stalls(login, log.isWhole)
  return {
    measures: measuresOf(login),
    tables: [phasesTable(login)],
    findings: [...slow, ...spread(login, slow), ...remarked(login), ...ends(login), ...notTried(login)],
    unseen: unseenOf(login, log),
  }
}

const seconds = (value: number) => ({ value: value / 1e6, unit: 's' }) as const

const inside = ({ phases }: Login) => phases.filter(({ kind }) => !OUTSIDE.includes(kind))
const loginUs = (login: Login) => inside(login).reduce((sum, { us }) => sum + (us ?? 0), 0)

function measuresOf(login: Login): Measure[] {
  const { us, phases } = login
  if (us === null) return []
  const isIn = phases.some(({ kind }) => AFTER.includes(kind))
  return [
    ...(isIn ? [{ name: 'login', title: 'login', quantity: seconds(loginUs(login)), better: 'less' } as const] : []),
    { name: 'whole', title: 'first line to last', quantity: seconds(us) },
  ]
}

const titleOf = ({ kind, subject }: Phase) => (subject === '' ? PHASES[kind] : `${PHASES[kind]} ${subject}`)

function phasesTable({ us, phases }: Login): Table {
  const isTimed = us !== null
  const columns: Column[] = [
    { name: 'phase', title: 'PHASE' },
    isTimed ? { name: 'seconds', title: 'SECONDS' } : { name: 'line', title: 'FROM LINE' },
    { name: 'after', title: isTimed ? 'LONGEST WAIT AFTER' : 'LAST LINE', flexible: true },
  ]
  const rows = phases.map((phase): Cell[] => {
    if (!isTimed) return [titleOf(phase), { value: phase.first.number, unit: '1' }, lineText(phase.last)]
    const { longest } = phase
    const after = longest === null ? null : `${longest.from.number}: ${lineText(longest.from)}`
    return [titleOf(phase), seconds(phase.us ?? 0), after]
  })
  return { name: 'phases', title: isTimed ? 'Where the seconds go' : 'How far it comes', columns, rows }
}

/** Each phase that waits long, the longest first. */
function stalls(login: Login, isWhole: boolean): Finding[] {
  const least = isWhole ? WHOLE_SECONDS : STALL_SECONDS
  const slackSeconds = isWhole ? 1 : SLACK_SECONDS
  const isStall = (phase: Phase) => (phase.us ?? 0) / 1e6 >= least && (phase.kind === 'keys' || hasSingle(phase))
  const hasSlowKeys = login.phases.some((phase) => phase.kind === 'keys' && isStall(phase))
  const isTold = ({ kind }: Phase) => kind === 'account' && hasSlowKeys && lookedUpAgain(login) !== undefined
  return login.phases
    .filter((phase) => isStall(phase) && !isTold(phase))
    .sort((a, b) => b.us! - a.us!)
    .flatMap((phase) => {
      if (phase.kind === 'typing') return [typing(phase)]
      const cause = CAUSES[phase.kind]?.({ login, phase, seconds: waitSeconds(phase), slackSeconds })
      return cause === undefined ? [] : [found(cause, phase)]
    })
}

const hasSingle = ({ longest }: Phase) => (longest?.us ?? 0) / 1e6 >= SINGLE_SECONDS

/** A login that is slow, and never waits long. */
function spread(login: Login, findings: readonly Finding[]): Finding[] {
  const all = loginUs(login) / 1e6
  if (all < STALL_SECONDS || findings.some(({ severity }) => severity === 'fault')) return []
  const most = Math.max(...inside(login).map(({ longest }) => longest?.us ?? 0)) / 1e6
  return [
    note('ssh.spread', `The login takes ${secondsText(all)}, in many waits of at most ${secondsText(most)}.`, {
      cause: 'That is how a long way looks, which a login goes back and forth a dozen times, or a busy machine.',
      confidence: 'likely',
      quantities: { login: { value: all, unit: 's' } },
      remedy: ['to tell: ping HOST shows what each way there and back takes'],
    }),
  ]
}

function found({ line = null, ...cause }: Cause, phase: Phase): Finding {
  const gap = phase.longest === null ? [] : gapEvidence(phase.longest)
  return {
    ...{ severity: 'fault', subject: '', ...cause },
    quantities: { wait: { value: waitSeconds(phase), unit: 's' } },
    evidence: [...(line === null ? [] : [lineEvidence(line)]), ...gap],
  }
}

/** One wait is known by how long it is; many small ones only by their sum. */
function waitSeconds({ us, longest }: Phase): number {
  const all = us ?? 0
  return (longest !== null && longest.us > MOST * all ? longest.us : all) / 1e6
}

const note = (code: Finding['code'], says: string, more: Partial<Finding> = {}): Finding => ({
  ...{ code, severity: 'note', subject: '', says, confidence: 'measured', quantities: {}, evidence: [], remedy: [] },
  ...more,
})

const typing = (phase: Phase) =>
  note('ssh.typing', 'Somebody takes that long to type; it is no part of the login.', {
    quantities: { wait: seconds(phase.us ?? 0) },
    evidence: phase.longest === null ? [] : gapEvidence(phase.longest),
  })

/** What a person has written into a log without times is believed as far as it goes. */
function remarked(login: Login): Finding[] {
  const { remark } = login
  if (remark === null) return []
  const { phase, range: said, line, from } = remark
  const cause = CAUSES[phase.kind]?.({ login, phase, seconds: null, slackSeconds: 0, said })
  if (cause === undefined) return []
  const [least, most] = said.map(secondsText)
  return [
    {
      ...{ severity: 'fault', subject: '', ...cause, confidence: 'possible', quantities: {} },
      says:
        `${cause.says.slice(0, -1)}: ${least}${least === most ? '' : ` to ${most}`}, as somebody has ` +
        `written into the log.`,
      evidence: [from, line].map(lineEvidence),
    },
  ]
}

/** It ends before anybody is logged in. */
function ends(login: Login): Finding[] {
  const { failure, reached, isAccepted, side, remark } = login
  if (failure !== null) {
    return [
      note('ssh.failed', `The login fails in this phase: ${titleOf(reached)}.`, {
        severity: 'warning',
        evidence: [lineEvidence(failure)],
        remedy: ['the log tells where it ends, not how long a login takes that works; look at that reason first'],
      }),
    ]
  }
  if (isAccepted || AFTER.includes(reached.kind) || side === 'server' || remark !== null) return []
  const cause = CAUSES[reached.kind]?.({ login, phase: reached, seconds: null, slackSeconds: 0 })
  const isTyping = reached.kind === 'password' || reached.kind === 'typing' || reached.kind === 'interactive'
  return [
    note('ssh.ends', `The log ends in this phase: ${titleOf(reached)}.`, {
      severity: isTyping || cause === undefined ? 'note' : 'warning',
      cause: isTyping
        ? 'Somebody was to type there. Whether anything waits, the log does not tell.'
        : `Whether it waits there or was only cut, the log does not ` +
          `tell.${cause === undefined ? '' : ` If it waits: ${cause.cause}`}`,
      confidence: 'possible',
      evidence: [lineEvidence(reached.last)],
      remedy: isTyping ? [] : (cause?.remedy ?? []),
      ...(isTyping || cause?.undo === undefined ? {} : { undo: cause.undo }),
    }),
  ]
}

/** Where nobody knows what waits, it helps to know what cannot. */
function notTried({ us, offered, side }: Login): Finding[] {
  if (us !== null || offered === null || side === 'server') return []
  if (offered.some((name) => name.startsWith('gssapi'))) return []
  return [
    note('ssh.gssapi-not-tried', 'GSSAPI was not tried, and is not what waits.', {
      cause:
        `The server offers ${offered.join(', ')}. "GSSAPIAuthentication no" in the client's ssh_config ` +
        `changes nothing here.`,
    }),
  ]
}
