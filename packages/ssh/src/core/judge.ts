/** What a log of a login tells: where its seconds went, why, and what it cannot tell. */
import type { Cell, Column, Finding, Judgement, Measure, Table } from '@fettle/report'
import { gapEvidence, lineEvidence, lineText } from './evidence.ts'
import type { Log } from './log.ts'
import { type Login, type Phase, type PhaseKind, titleOf } from './phase.ts'
import { readLogin } from './read.ts'
import { CAUSES, inside, loginUs, STALL_SECONDS, type Stall, stallsOf } from './stalls.ts'
import { unseenOf } from './unseen.ts'
import { type Cause, secondsText } from './wait.ts'

/** Somebody is logged in by then. */
const AFTER: readonly PhaseKind[] = ['first', 'shell', 'use', 'close']

export function judge(log: Log): Judgement {
  const login = readLogin(log)
  const slow = findingsOf(stallsOf(login, log.isWhole))
  return {
    measures: measuresOf(login),
    tables: [phasesTable(login)],
    findings: [...slow, ...spread(login, slow), ...remarked(login), ...ends(login), ...notTried(login)],
    unseen: unseenOf(login, log),
  }
}

const seconds = (value: number) => ({ value: value / 1e6, unit: 's' }) as const

function measuresOf(login: Login): Measure[] {
  const { us, phases } = login
  if (us === null) return []
  const isIn = phases.some(({ kind }) => AFTER.includes(kind))
  return [
    ...(isIn ? [{ name: 'login', title: 'login', quantity: seconds(loginUs(login)), better: 'less' } as const] : []),
    { name: 'whole', title: 'first line to last', quantity: seconds(us) },
  ]
}

/** Each phase, in the order in which they came. */
export function phasesTable(login: Login): Table {
  return login.us === null ? untimedTable(login) : waterfall(login)
}

function untimedTable({ phases }: Login): Table {
  const columns: Column[] = [
    { name: 'phase', title: 'PHASE' },
    { name: 'line', title: 'FROM LINE' },
    { name: 'after', title: 'LAST LINE', flexible: true },
  ]
  const rows = phases.map((phase): Cell[] => [
    titleOf(phase),
    { value: phase.first.number, unit: '1' },
    lineText(phase.last),
  ])
  return { name: 'phases', title: 'How far it comes', columns, rows }
}

/** Where each phase begins and how long it is, of the whole. */
const BAR = 16

function waterfall({ us, phases }: Login): Table {
  const columns: Column[] = [
    { name: 'phase', title: 'PHASE' },
    { name: 'seconds', title: 'SECONDS' },
    { name: 'bar', title: '' },
    { name: 'after', title: 'LONGEST WAIT AFTER', flexible: true },
  ]
  const whole = Math.max(1, us ?? 0)
  let before = 0
  const rows = phases.map((phase): Cell[] => {
    const { longest } = phase
    const long = phase.us ?? 0
    const [from, to] = [before, before + long].map((at) => Math.round((at / whole) * BAR)) as [number, number]
    before += long
    const bar = `${' '.repeat(Math.min(from, BAR - 1))}${'#'.repeat(to - from) || '.'}`
    const after = longest === null ? null : `${longest.from.number}: ${lineText(longest.from)}`
    return [titleOf(phase), seconds(long), bar, after]
  })
  return { name: 'phases', title: 'Where the seconds go', columns, rows }
}

const findingsOf = (stalls: readonly Stall[]): Finding[] =>
  stalls.map((one) => (one.cause === undefined ? typing(one.phase) : foundAt(one.cause, one)))

/** A login that is slow, and never waits long. */
export function spread(login: Login, findings: readonly Finding[]): Finding[] {
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

/** A wait and its cause, with the lines that show it. */
export function foundAt({ line = null, ...cause }: Cause, { phase, seconds: wait }: Stall): Finding {
  const gap = phase.longest === null ? [] : gapEvidence(phase.longest)
  return {
    ...{ severity: 'fault', subject: '', ...cause },
    quantities: { wait: { value: wait, unit: 's' } },
    evidence: [...(line === null ? [] : [lineEvidence(line)]), ...gap],
  }
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
