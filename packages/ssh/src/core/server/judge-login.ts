/** A login of its own: which part of it waits, and for whom, as its processes were seen. */
import type { Evidence, Finding } from '@fettle/report'
import { SERVER_CAUSES } from '../causes-server.ts'
import { gapEvidence } from '../evidence.ts'
import { readLog } from '../log.ts'
import type { Gap, Login, Phase, PhaseKind } from '../phase.ts'
import { readLogin } from '../read.ts'
import type { Cause } from '../wait.ts'
import { secondsText } from '../wait.ts'
import { placeOf } from './config.ts'
import { type Facts, type LoginSeen, setting } from './facts.ts'
import {
  execLine,
  LOGIND_REMEDY,
  logindLine,
  logindUndo,
  motdFinding,
  pamEvidence,
  withoutLogind,
} from './judge-session.ts'
import { lineFinding } from './judge-shell.ts'
import { waitsFor } from './pam.ts'
import { FAULT_SECONDS, severityOf } from './timed.ts'
import { type Awaited, isBus, isDns, peerText, type Waited, waitedFor } from './watch.ts'

/** What the client does, and what comes after. */
const OUTSIDE: readonly PhaseKind[] = ['idle', 'close']
/** What came then was sent by our own ssh: it was busy, not sshd. */
const OF_CLIENT = /^receive packet: type /
/** A part of a gap that is too short to have made it long. */
const SHARE_LEAST = 0.2

export function loginFindings(facts: Facts): Finding[] {
  const { login } = facts
  const log = login === undefined ? undefined : readLog(login.log)
  if (login === undefined || log === undefined) return []
  const read = readLogin(log)
  return read.phases.flatMap((phase): Finding[] => {
    const { longest, kind } = phase
    if (longest === null || OUTSIDE.includes(kind) || longest.us / 1e6 < FAULT_SECONDS) return []
    if (OF_CLIENT.test(longest.to.text)) return []
    return [findingOf(facts, { login: read, phase, gap: longest, waited: waitedIn(login, longest) })]
  })
}

interface Stall {
  readonly login: Login
  readonly phase: Phase
  readonly gap: Gap
  /** The longest first. */
  readonly waited: readonly Waited[]
}

/** Lines of the log have their time since the first of them. */
function waitedIn({ log, samples }: LoginSeen, { from, to }: Gap): Waited[] {
  const first = Number(/^ *([\d.]+)/.exec(log)?.[1] ?? 0)
  const [began, ended] = [from, to].map(({ us }) => first + (us ?? 0) / 1e6)
  const all = waitedFor(samples, began!, ended!)
  return all.filter(({ seconds }) => seconds >= SHARE_LEAST * (ended! - began!))
}

function findingOf(facts: Facts, stall: Stall): Finding {
  const { gap, waited } = stall
  const seconds = gap.us / 1e6
  const cause = causeOf(facts, stall)
  const told = waited.map(({ awaited, seconds: long }) => ({
    source: 'seen in /proc',
    text: `${awaitedText(awaited)}, ${secondsText(long)}`,
  }))
  return {
    subject: '',
    remedy: [],
    ...cause,
    severity: severityOf(seconds),
    quantities: { wait: { value: seconds, unit: 's' } },
    evidence: [...(cause.evidence ?? []), ...told, ...gapEvidence(gap).map(inOwnLogin)],
  }
}

/** Of what is put into the environment only the name. */
const inOwnLogin = ({ source, text }: Evidence): Evidence => ({
  source: `log of sshd, ${source}`,
  text: text.replace(/^(debug\d: Copy environment: [^=]*).*/, '$1'),
})

type Named = Pick<Finding, 'code' | 'says' | 'confidence'> & Partial<Finding>

function causeOf(facts: Facts, stall: Stall): Named {
  const [most] = stall.waited
  if (most === undefined) return unseenCause(facts, stall)
  const { awaited } = most
  if (awaited.kind === 'program') return programCause(facts, stall, awaited.programs)
  return awaited.kind === 'peer' ? peerCause(facts, stall, awaited.peer) : fileCause(stall, awaited.file)
}

/** What the log alone tells of this part of a login. */
function ofPhase({ phase, login, gap }: Stall): Cause {
  // What was asked for does nothing: what is used there is the shell.
  const kind: PhaseKind = phase.kind === 'use' ? 'shell' : phase.kind
  const wait = { login, phase, seconds: gap.us / 1e6, slackSeconds: 0.1 }
  const cause = SERVER_CAUSES[kind]?.(wait)
  const code = kind === 'banner' ? 'ssh.banner' : 'ssh.kex'
  return cause ?? { code, says: 'sshd takes long to begin.', cause: '', confidence: 'possible', remedy: [] }
}

function unseenCause(facts: Facts, stall: Stall): Named {
  const { line: _, ...cause } = ofPhase(stall)
  const modules = (facts.pam?.stack ?? []).filter(
    (line) => line.type === stall.phase.kind && waitsFor(line) !== undefined,
  )
  return {
    ...cause,
    cause: `${cause.cause} Nothing was seen that it waits for: no program and no connection.`.trim(),
    evidence: modules.map((line) => ({ source: placeOf(line), text: `${line.module}: ${waitsFor(line)}` })),
  }
}

function programCause(facts: Facts, stall: Stall, programs: readonly string[]): Named {
  const script = programs.find((one) => one.includes('/update-motd.d/'))
  if (script !== undefined) {
    const timed = facts.motd.find(({ file }) => file === script)
    const seen = { file: script, seconds: stall.gap.us / 1e6, isCut: false, status: null, linksTo: null }
    // Timed by itself it says so itself.
    return { ...motdFinding(facts, timed ?? seen), evidence: [] }
  }
  const run = programs.flatMap((one) => execLine(facts, one) ?? [])[0]
  const { code, says, remedy, undo } = ofPhase(stall)
  if (run !== undefined) {
    const program = programs.find((one) => execLine(facts, one) === run)!
    return {
      ...{ code, says, subject: program, confidence: 'measured' },
      cause: `${run.module} runs it at each login, by ${placeOf(run)}.`,
      evidence: [pamEvidence(run)],
      remedy: [
        `in ${program}: what takes so long, or let it run in the background`,
        `or in ${placeOf(run)}: put # before the line, and try a new login before you end this one`,
      ],
      undo: `take the # away again in ${placeOf(run)}`,
    }
  }
  const line = code === 'ssh.shell' ? slowLine(facts, stall) : undefined
  if (line !== undefined) return { ...lineFinding(facts, line), evidence: [] }
  const isKeys = programs[0] === setting(facts, 'authorizedkeyscommand')?.split(' ')[0]
  const what =
    code === 'ssh.shell' ? `The shell of ${facts.plan.user} waits for it.` : 'sshd, or a module of PAM, waits for it.'
  return {
    ...{ code: isKeys ? 'ssh.keys' : code, says, remedy, subject: programs[isKeys ? 0 : programs.length - 1]! },
    cause: isKeys ? 'It is the AuthorizedKeysCommand, which sshd asks for the keys of the user.' : what,
    confidence: 'measured',
    ...(undo === undefined ? {} : { undo }),
  }
}

/** The line that took as long when the shell was traced. */
const slowLine = ({ rc }: Facts, { gap }: Stall) =>
  rc?.lines.find(({ seconds }) => seconds >= 0.5 * (gap.us / 1e6) && seconds <= 2 * (gap.us / 1e6))

function peerCause(facts: Facts, stall: Stall, peer: Extract<Awaited, { kind: 'peer' }>['peer']): Named {
  const { line: _, ...cause } = ofPhase(stall)
  const line = logindLine(facts)
  if (isBus(peer) && line !== undefined && stall.phase.kind === 'session') {
    return {
      ...{ code: 'ssh.session-dbus', says: cause.says, subject: 'systemd-logind', confidence: 'measured' },
      cause: 'pam_systemd asks it for a session, over D-Bus, and waits for the answer.',
      evidence: [pamEvidence(line)],
      remedy: [...LOGIND_REMEDY, withoutLogind(line)],
      undo: logindUndo(line),
    }
  }
  return {
    ...cause,
    subject: isDns(peer) && peer.kind === 'network' ? peer.address : peerText(peer),
    cause: `It waits for ${peerText(peer)}.`,
    confidence: 'measured',
  }
}

function fileCause(stall: Stall, file: string): Named {
  const { line: _, ...cause } = ofPhase(stall)
  return {
    ...cause,
    subject: file,
    cause: 'sshd, or a module of PAM, has it open all that time.',
    confidence: 'likely',
  }
}

function awaitedText(awaited: Awaited): string {
  if (awaited.kind === 'program') return awaited.programs.join(', which runs ')
  return awaited.kind === 'peer' ? peerText(awaited.peer) : awaited.file
}
