/** What PAM does when it opens a session: logind, scripts, log files. */
import { type Finding, quantityText } from '@fettle/report'
import { secondsText } from '../wait.ts'
import { placeOf } from './config.ts'
import type { Facts, ScriptSeen } from './facts.ts'
import { execPath, motdLine, type PamLine } from './pam.ts'
import { longText, severityOf, WARNING_SECONDS } from './timed.ts'

/** Then logind is busy with nothing else. */
const SESSIONS_MANY = 1000
const LOG_LARGE = 50_000_000

export function sessionFindings(facts: Facts): Finding[] {
  return [...logind(facts), ...motd(facts), ...logs(facts)]
}

const LOGIND_MODULES = ['pam_systemd', 'pam_elogind']

export const logindLine = ({ pam }: Facts): PamLine | undefined =>
  pam?.stack.find(({ type, module }) => type === 'session' && LOGIND_MODULES.includes(module))

export const pamEvidence = (line: PamLine) => ({
  source: placeOf(line),
  text: `${line.type} ${line.control} ${line.module}.so`,
})

export const LOGIND_REMEDY = [
  'systemctl restart systemd-logind (not dbus: that makes logind hang on some systems)',
  'reboot, if systemd or dbus was updated since the last time',
]

export const logindUndo = ({ file, line }: PamLine) => `take the # away again in ${file}:${line}`

export const withoutLogind = (line: PamLine) =>
  `at last, in ${placeOf(line)}: put # before pam_systemd.so, and try a new login before you end this one`

function logind(facts: Facts): Finding[] {
  const { bus } = facts
  const line = logindLine(facts)
  if (bus === undefined || line === undefined) return []
  const files = bus.files > SESSIONS_MANY ? [manySessions(bus.files, bus.sessions)] : []
  const isSlow = bus.answer === 'silent' || bus.seconds >= WARNING_SECONDS
  if (bus.answer === 'no bus' || bus.answer === 'refuses' || !isSlow) return files
  const later = bus.busLaterSeconds
  const why = later === null ? '' : ` The bus was started ${secondsText(later)} after logind, which has lost it then.`
  return [
    {
      code: 'ssh.session-dbus',
      severity: bus.answer === 'silent' ? 'fault' : severityOf(bus.seconds),
      subject: 'systemd-logind',
      says:
        bus.answer === 'silent'
          ? `does not answer within ${secondsText(bus.seconds)}; each login waits 25 s, with newer systemd 2 min.`
          : `takes ${secondsText(bus.seconds)} to answer, and each login waits for it.`,
      cause: `pam_systemd asks it for a session, over D-Bus.${why}`,
      confidence: 'measured',
      quantities: { wait: { value: bus.seconds, unit: 's' } },
      evidence: [pamEvidence(line), { source: 'D-Bus', text: bus.text }],
      remedy: [...LOGIND_REMEDY, withoutLogind(line)],
      undo: logindUndo(line),
    },
    ...files,
  ]
}

function manySessions(files: number, sessions: number | null): Finding {
  const known = sessions === null ? '' : ` logind knows ${quantityText({ value: sessions, unit: '1' })} sessions.`
  return {
    code: 'ssh.sessions-many',
    severity: 'warning',
    subject: '/run/systemd/sessions',
    says: `holds ${quantityText({ value: files, unit: '1' })} files.`,
    cause: `Sessions that were never closed are kept there, and logind goes through them at each login.${known}`,
    confidence: 'likely',
    quantities: { files: { value: files, unit: '1' } },
    evidence: [],
    remedy: [
      'to tell: loginctl list-sessions shows whose they are; cron and scripts that log in each minute are usual',
      'update systemd; then systemctl restart systemd-logind, or reboot, which empties the folder',
    ],
  }
}

export function motdFinding(facts: Facts, { file, linksTo, ...seen }: ScriptSeen): Finding {
  const line = motdLine(facts.pam?.stack ?? [])
  return {
    code: 'ssh.session',
    severity: severityOf(seen.seconds),
    subject: file,
    says: `This script takes ${longText(seen)}, and each login waits for it.`,
    cause: 'pam_motd runs it for the message of the day, also where the message is not shown.',
    confidence: 'measured',
    quantities: { wait: { value: seen.seconds, unit: 's' } },
    evidence: [
      ...(line === undefined ? [] : [pamEvidence(line)]),
      { source: file, text: `${longText(seen)}, run by itself` },
      ...(linksTo === null ? [] : [{ source: file, text: `is a link to ${linksTo}` }]),
    ],
    remedy:
      linksTo === null
        ? [`chmod -x ${file} takes it out; fettle ssh change does it`]
        : [`rm ${file} takes it out; it is a link, and what it leads to stays`],
    undo: linksTo === null ? `chmod +x ${file}` : `ln -s ${linksTo} ${file}`,
  }
}

function motd(facts: Facts): Finding[] {
  const slow = facts.motd.filter(({ seconds, isCut }) => isCut || seconds >= WARNING_SECONDS)
  return slow.map((one) => motdFinding(facts, one))
}

/** pam_lastlog reads all of btmp for the failed logins; lastlog is looked up at one place. */
function logs({ pam, files, settings }: Facts): Finding[] {
  const line = pam?.stack.find(({ module, args }) => module === 'pam_lastlog' && args.includes('showfailed'))
  const btmp = files.find(({ file }) => file.endsWith('/btmp'))
  if (line === undefined || btmp === undefined || btmp.bytes < LOG_LARGE || settings === undefined) return []
  const bytes = quantityText({ value: btmp.bytes, unit: 'B' })
  return [
    {
      code: 'ssh.session',
      severity: 'warning',
      subject: btmp.file,
      says: `has ${bytes}, and each login reads all of it.`,
      cause: 'pam_lastlog counts the failed logins in it (showfailed).',
      confidence: 'likely',
      quantities: { size: { value: btmp.bytes, unit: 'B' } },
      evidence: [pamEvidence(line)],
      remedy: [`truncate -s 0 ${btmp.file}, after a copy; logrotate for it`, `in ${placeOf(line)}: without showfailed`],
      undo: 'put the copy back',
    },
  ]
}

/** The module that runs this program. */
export const execLine = ({ pam }: Facts, program: string): PamLine | undefined =>
  pam?.stack.find((line) => execPath(line) === program)
