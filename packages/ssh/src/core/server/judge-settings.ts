/** Settings of sshd that cost something by themselves. */
import { type Finding, note } from '@fettle/report'
import { placeOf, whereSet } from './config.ts'
import { type Facts, setting } from './facts.ts'
import { allSeconds, FAULT_SECONDS, longText } from './timed.ts'

export const RELOAD = 'sshd -t && systemctl reload ssh (sshd on Red Hat)'
/** As many processes for each CPU. */
const BUSY = 1.5
const UNDO = 'put the line back as it was, and reload as before'

export function settingFindings(facts: Facts): Finding[] {
  const { settings } = facts
  if (settings === undefined) return []
  if (settings.refused !== null) return [refused(settings.refused, facts.plan.config)]
  return [...gssapi(facts), ...startups(facts), ...busy(facts)]
}

const refused = (text: string, file: string): Finding => ({
  ...note('ssh.config-refused', file, 'sshd does not take its settings: it would not start with them.'),
  severity: 'fault',
  evidence: [{ source: 'sshd -t', text }],
  remedy: ['put right the line that it names, before anybody restarts or reloads sshd'],
})

/** `/etc/ssh/sshd_config:12`, or where it would have to be written. */
export function settingPlace({ settings, plan }: Facts, name: string): string {
  return (settings === undefined ? undefined : whereSet(settings.config, name)) ?? plan.config
}

function gssapi(facts: Facts): Finding[] {
  if (setting(facts, 'gssapiauthentication') !== 'yes') return []
  const { hasKeytab } = facts.settings!
  const own = facts.names.find(({ role }) => role === 'own')
  const seconds = own === undefined ? 0 : allSeconds(own)
  const isSlow = seconds >= FAULT_SECONDS
  if (hasKeytab && !isSlow) return []
  const place = settingPlace(facts, 'gssapiauthentication')
  const keytab = hasKeytab
    ? ''
    : 'There is no /etc/krb5.keytab, so nobody can log in with it, and clients try it all the same. '
  return [
    {
      code: 'ssh.gssapi',
      severity: isSlow ? 'fault' : 'warning',
      subject: `${place} GSSAPIAuthentication`,
      says: isSlow
        ? `Kerberos is offered, and the name of this machine takes ${longText({ ...own!, seconds })} to look up.`
        : 'Kerberos is offered, though this machine has no key for it.',
      cause: `${keytab}Kerberos looks the name of the server up, forth and back, at the server and at the client.`,
      confidence: isSlow ? 'measured' : 'likely',
      quantities: isSlow ? { wait: { value: seconds, unit: 's' } } : {},
      evidence: [
        { source: 'sshd -T', text: 'gssapiauthentication yes' },
        ...(own === undefined ? [] : [{ source: `getent ahosts ${own.subject}`, text: longText({ ...own, seconds }) }]),
      ],
      remedy: hasKeytab
        ? [
            'in the DNS or /etc/hosts: the name of this machine',
            'in /etc/krb5.conf: "dns_canonicalize_hostname = false"',
          ]
        : [`in ${fileOf(place)}: "GSSAPIAuthentication no"; then ${RELOAD}; fettle ssh change does it`],
      undo: UNDO,
    },
  ]
}

export const fileOf = (place: string) => place.replace(/:\d+$/, '')

/** Then everything takes longer, and what was timed as well. */
function busy({ settings }: Facts): Finding[] {
  const { wanting, cpus } = settings!.load
  if (wanting <= BUSY * cpus) return []
  const says = `is busy: ${wanting.toFixed(1)} processes want ${cpus === 1 ? 'its CPU' : `its ${cpus} CPUs`}.`
  return [
    {
      ...note('ssh.busy', 'this machine', says),
      cause: 'Each part of a login takes longer then, and what is timed here as well.',
      evidence: [{ source: '/proc/loadavg', text: wanting.toFixed(2) }],
      remedy: ['top shows whose they are'],
    },
  ]
}

/** Beyond it, new connections are dropped by chance before sshd says a word. */
function startups(facts: Facts): Finding[] {
  const { startups: seen, config } = facts.settings!
  if (seen === null || seen.now < seen.from) return []
  const line = config.lines.find(({ name }) => name === 'maxstartups')
  return [
    {
      code: 'ssh.banner',
      severity: 'fault',
      subject: line === undefined ? 'MaxStartups' : `${placeOf(line)} MaxStartups`,
      says: `${seen.now} are connected and not logged in yet, and from ${seen.from} on new ones are dropped by chance.`,
      cause: 'Somebody tries passwords, or logins take so long that they pile up.',
      confidence: 'possible',
      quantities: { startups: { value: seen.now, unit: '1' } },
      evidence: [{ source: 'the listening sshd', text: `${seen.now} of ${seen.from} startups` }],
      remedy: [
        'in the firewall: let only those in who should; or fail2ban',
        `in ${facts.plan.config}: "MaxStartups 30:30:200"; then ${RELOAD}`,
      ],
      undo: UNDO,
    },
  ]
}

export const useDnsUndo = UNDO
