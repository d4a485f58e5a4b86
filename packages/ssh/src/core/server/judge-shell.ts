/** Who the user is, keys that a command tells, and files that a shell reads. */
import type { Finding } from '@fettle/report'
import type { TracedLine } from '../trace.ts'
import { secondsText } from '../wait.ts'
import type { Facts, KeysSeen } from './facts.ts'
import { RELOAD, settingPlace, useDnsUndo } from './judge-settings.ts'
import { longText, severityOf, WARNING_SECONDS } from './timed.ts'

export function shellFindings(facts: Facts): Finding[] {
  const { keys, rc } = facts
  const isSlow = keys !== undefined && keys.problem === null && (keys.isCut || keys.seconds >= WARNING_SECONDS)
  const lines = rc?.lines.filter(({ seconds }) => seconds >= WARNING_SECONDS) ?? []
  return [
    ...userFindings(facts),
    ...(isSlow ? [keysFinding(facts, keys)] : []),
    ...lines.map((line) => lineFinding(facts, line)),
  ]
}

/** sshd asks it several times: for the user, and before it reads their files. */
function userFindings({ user, plan }: Facts): Finding[] {
  const seconds = (user?.seconds ?? 0) + (user?.groupsSeconds ?? 0)
  if (user === undefined || (seconds < WARNING_SECONDS && !user.isCut)) return []
  return [
    {
      code: 'ssh.account',
      severity: severityOf(seconds),
      subject: '/etc/nsswitch.conf',
      says: `Who ${plan.user} is takes ${longText({ seconds, isCut: user.isCut })} to look up, at each login.`,
      cause: 'The directory that is asked for users and groups there is slow, or does not answer.',
      confidence: 'measured',
      quantities: { wait: { value: seconds, unit: 's' } },
      evidence: [
        { source: `getent passwd ${plan.user}`, text: secondsText(user.seconds) },
        { source: `id -G ${plan.user}`, text: secondsText(user.groupsSeconds) },
        ...user.sources.map(({ line, text }) => ({ source: `/etc/nsswitch.conf:${line}`, text })),
      ],
      remedy: [
        'in what asks the directory (/etc/sssd/sssd.conf, nslcd.conf, ...): servers that answer, and a cache',
        'for sssd: sssctl domain-status DOMAIN tells whether it reaches them',
      ],
      undo: 'put the changed line back as it was',
    },
  ]
}

function keysFinding(facts: Facts, keys: KeysSeen): Finding {
  const place = settingPlace(facts, 'authorizedkeyscommand')
  const failed = keys.status === 0 || keys.isCut ? '' : `, and ended with status ${keys.status}`
  return {
    code: 'ssh.keys',
    severity: severityOf(keys.seconds),
    subject: keys.file,
    says: `This command takes ${longText(keys)}, and a login with a key that it tells runs it twice.`,
    cause:
      'sshd asks it for each key that is in none of its files: whether it may be used, and again when it has signed.',
    confidence: 'measured',
    quantities: { wait: { value: keys.seconds, unit: 's' } },
    evidence: [
      { source: place, text: 'AuthorizedKeysCommand' },
      { source: keys.file, text: `${longText(keys)}, run by itself as ${keys.as}; it told ${keys.keys} keys${failed}` },
    ],
    remedy: [
      'let it cache what it has found (sssd does), so that it need not ask each time',
      `in ${place}: "AuthorizedKeysCommand none", if the keys are in files as well; then ${RELOAD}`,
      'before you log out: try a new login',
    ],
    undo: useDnsUndo,
  }
}

export function lineFinding({ rc, plan }: Facts, { file, line, seconds, times }: TracedLine): Finding {
  const isLast = rc!.lines[0]!.line === line && rc!.lines[0]!.file === file
  const often = times > 1 ? `, run ${times} times` : ''
  return {
    code: 'ssh.shell',
    severity: severityOf(seconds),
    subject: `${file}:${line}`,
    says: `This line takes ${longText({ seconds, isCut: rc!.isCut && isLast })}${often}.`,
    cause: `The shell of ${plan.user} runs it before there is a prompt.`,
    confidence: 'measured',
    quantities: { wait: { value: seconds, unit: 's' } },
    evidence: [{ source: `${file}:${line}`, text: `${secondsText(seconds)} until the next line` }],
    remedy: [`in ${file}: take line ${line} out, or let it run in the background, or only where somebody asks for it`],
    undo: 'put the line back',
  }
}
