/** Names of clients, and the resolvers that are asked for them. */
import { type Evidence, type Finding, note } from '@fettle/report'
import { secondsText } from '../wait.ts'
import { nameRules, placeOf } from './config.ts'
import { type Facts, type NamesSeen, setting } from './facts.ts'
import { fileOf, RELOAD, settingPlace, useDnsUndo } from './judge-settings.ts'
import { allSeconds, FAULT_SECONDS, longText, severityOf, WARNING_SECONDS } from './timed.ts'

export function nameFindings(facts: Facts): Finding[] {
  const clients = facts.names.filter(({ role }) => role === 'client')
  const slowest = clients.toSorted((a, b) => allSeconds(b) - allSeconds(a))[0]
  if (slowest === undefined) return silentResolvers(facts)
  return [...wrappers(facts, slowest), ...useDns(facts, slowest), ...silentResolvers(facts)]
}

/** They are asked before sshd says its first line. */
function wrappers({ settings }: Facts, names: NamesSeen): Finding[] {
  const [rule] = settings?.wrappers ?? []
  const seconds = allSeconds(names)
  if (rule === undefined || seconds < WARNING_SECONDS) return []
  return [
    {
      code: 'ssh.banner',
      severity: severityOf(seconds),
      subject: placeOf(rule),
      says: `The name of ${names.subject} takes ${longText({ ...names, seconds })}, and this rule needs it.`,
      cause: 'TCP wrappers look the client up where a rule for sshd has a name in it.',
      confidence: 'measured',
      quantities: { wait: { value: seconds, unit: 's' } },
      evidence: evidenceOf(names),
      remedy: [
        `in ${rule.file}: addresses in place of names`,
        `in the DNS: a PTR record for ${names.subject}; in /etc/resolv.conf: resolvers that answer`,
      ],
      undo: 'put the rule back as it was',
    },
  ]
}

function useDns(facts: Facts, names: NamesSeen): Finding[] {
  const seconds = allSeconds(names)
  if (seconds < WARNING_SECONDS) return []
  const evidence = evidenceOf(names)
  if (setting(facts, 'usedns') !== 'yes') {
    if (seconds < FAULT_SECONDS || (facts.settings?.wrappers.length ?? 0) > 0) return []
    const says = `takes ${longText({ ...names, seconds })} to look up, and sshd does not wait for it: UseDNS is no.`
    return [{ ...note('ssh.names-not-waited', names.subject, says), evidence }]
  }
  const place = settingPlace(facts, 'usedns')
  const silent = names.resolvers.filter(({ code }) => code === 'silent').map(({ server }) => server)
  const rules = facts.settings === undefined ? [] : nameRules(facts.settings.config)
  return [
    {
      code: 'ssh.auth-start',
      severity: severityOf(seconds),
      subject: `${place} UseDNS`,
      says: `The name of ${names.subject} takes ${longText({ ...names, seconds })}, and each login waits for it.`,
      cause:
        silent.length === 0
          ? 'With "UseDNS yes" sshd looks the address of the client up, and the name that it finds once more.'
          : `With "UseDNS yes" sshd looks the address of the client up, and ${silent.join(', ')} does not answer.`,
      confidence: 'measured',
      quantities: { wait: { value: seconds, unit: 's' } },
      evidence,
      remedy: [
        `in ${fileOf(place)}: "UseDNS no"; then ${RELOAD}; fettle ssh change does it`,
        ...rules.map(
          (rule) => `but before that, in ${placeOf(rule)}: addresses in place of names, which would not fit`,
        ),
        ...(silent.length === 0
          ? [`in the DNS: a PTR record for ${names.subject}, or in /etc/hosts a line`]
          : [`in /etc/resolv.conf: resolvers that answer, in place of ${silent.join(', ')}`]),
      ],
      undo: useDnsUndo,
    },
  ]
}

function evidenceOf({ role, subject, seconds, isCut, answer, backSeconds, resolvers }: NamesSeen): Evidence[] {
  const asked = role === 'client' ? `getent hosts ${subject}` : `getent ahosts ${subject}`
  const found = answer === null ? 'nothing' : answer
  return [
    { source: asked, text: `${found} after ${longText({ seconds, isCut })}` },
    ...(backSeconds === null ? [] : [{ source: `getent ahosts ${answer}`, text: secondsText(backSeconds) }]),
    ...resolvers.map((one) => ({
      source: `resolver ${one.server}`,
      text: `${one.code ?? 'an answer'} after ${secondsText(one.seconds)}`,
    })),
  ]
}

/** One that never answered, whatever it was asked. */
function silentResolvers({ names }: Facts): Finding[] {
  const servers = Array.from(new Set(names.flatMap(({ resolvers }) => resolvers.map(({ server }) => server))))
  return servers.flatMap((server) => {
    const all = names.flatMap(({ resolvers }) => resolvers.filter((one) => one.server === server))
    if (all.some(({ code }) => code !== 'silent')) return []
    const says = 'does not answer: whoever looks a name up waits for it, 5 s each time unless resolv.conf says less.'
    return [
      {
        ...note('ssh.resolver', server, says),
        severity: 'warning' as const,
        evidence: [{ source: '/etc/resolv.conf', text: `nameserver ${server}` }],
        remedy: [`in /etc/resolv.conf (or what writes it): a resolver that answers, in place of ${server}`],
        undo: 'put the line back as it was',
      },
    ]
  })
}
