/** What makes logins slow here: each thing that was timed, and the file, line or daemon that it is. */
import type { Finding, Judgement, Measure, Unseen } from '@fettle/report'
import { type Facts, setting } from './facts.ts'
import { loginFindings } from './judge-login.ts'
import { nameFindings } from './judge-names.ts'
import { sessionFindings } from './judge-session.ts'
import { settingFindings } from './judge-settings.ts'
import { shellFindings } from './judge-shell.ts'
import { tablesOf } from './tables.ts'
import { namesSeconds } from './timed.ts'

export function judge(facts: Facts): Judgement {
  const parts = [...settingFindings(facts), ...nameFindings(facts), ...sessionFindings(facts), ...shellFindings(facts)]
  return {
    measures: measuresOf(facts),
    tables: tablesOf(facts),
    findings: merged([...loginFindings(facts), ...parts]),
    unseen: unseenOf(facts),
  }
}

const seconds = (value: number) => ({ value, unit: 's' }) as const

function measuresOf(facts: Facts): Measure[] {
  const { login, motd, bus } = facts
  const names = namesSeconds(facts)
  const measure = (name: string, title: string, value: number): Measure => ({
    name,
    title,
    quantity: seconds(value),
    better: 'less',
  })
  return [
    ...(login?.isIn === true ? [measure('login', 'a login here', login.seconds)] : []),
    ...(names === undefined ? [] : [measure('names', 'sshd waits for names', names)]),
    ...(motd.length === 0
      ? []
      : [
          measure(
            'motd',
            'message of the day',
            motd.reduce((sum, one) => sum + one.seconds, 0),
          ),
        ]),
    ...(bus?.answer === 'answers' ? [measure('logind', 'logind answers in', bus.seconds)] : []),
  ]
}

const RANK: Readonly<Record<Finding['severity'], number>> = { fault: 0, warning: 1, note: 2 }

/** What is found twice is said once: by the login, with what else was seen. Faults first, the longest of them first. */
function merged(findings: readonly Finding[]): Finding[] {
  const all = new Map<string, Finding>()
  for (const one of findings) {
    const key = `${one.code} ${one.subject}`
    const first = all.get(key)
    all.set(key, first === undefined ? one : { ...first, evidence: [...first.evidence, ...one.evidence] })
  }
  const wait = ({ quantities }: Finding) => quantities.wait?.value ?? 0
  return Array.from(all.values()).sort((a, b) => RANK[a.severity] - RANK[b.severity] || wait(b) - wait(a))
}

function unseenOf(facts: Facts): Unseen[] {
  const { plan, settings, names, keys, rc, login, bus } = facts
  if (settings?.refused != null) {
    return [{ what: 'everything else', why: 'sshd does not take its settings; put them right first' }]
  }
  const hasClients = names.some(({ role }) => role === 'client')
  const keysCommand = setting(facts, 'authorizedkeyscommand') ?? 'none'
  const force = setting(facts, 'forcecommand') ?? 'none'
  return [
    ...(hasClients
      ? []
      : [{ what: 'names of clients', why: 'nobody is connected from elsewhere; give --client ADDRESS' }]),
    ...(plan.user === null
      ? [
          {
            what: 'the files that a shell reads, keys that a command tells, and a whole login',
            why: 'they are of a user; give --user NAME, whose files are run then',
          },
        ]
      : []),
    ...[
      { what: `AuthorizedKeysCommand ${keysCommand.split(' ')[0]}`, why: keys?.problem },
      { what: 'the start of the shell', why: rc?.problem },
      { what: 'a login of its own', why: login?.isIn === false ? login.why : null },
    ].flatMap(({ what, why }) => (why == null ? [] : [{ what, why }])),
    ...((setting(facts, 'authorizedprincipalscommand') ?? 'none') === 'none'
      ? []
      : [{ what: 'AuthorizedPrincipalsCommand', why: 'it is run for certificates, and nobody has one here' }]),
    ...(login !== undefined && force !== 'none'
      ? [{ what: 'ForceCommand', why: 'it is not run here, for nobody knows what it does' }]
      : []),
    ...(login?.isIn === true
      ? [{ what: "what sshd does with the client's address", why: 'the login of its own comes from 127.0.0.1' }]
      : []),
    ...(bus?.answer === 'no program'
      ? [{ what: 'systemd-logind', why: 'none of busctl, dbus-send and loginctl is here' }]
      : []),
  ]
}
