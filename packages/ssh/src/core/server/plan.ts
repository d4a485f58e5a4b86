/** What is to be changed: what was asked for, or else what is advisable and does no harm. */
import { type Finding, note } from '@fettle/report'
import { secondsText } from '../wait.ts'
import { linesOf, pairsOf } from './block.ts'
import { type Config, nameRules, placeOf, whereSet } from './config.ts'
import { type Facts, setting } from './facts.ts'
import { allSeconds, FAULT_SECONDS, longText } from './timed.ts'

export interface Wishes {
  readonly set: readonly (readonly [name: string, value: string])[]
}

/** The file that takes the settings. */
export interface Place {
  readonly file: string
  /** What of it is ours: `UseDNS no; ...`; null: there is no such file. */
  readonly was: string | null
}

/** A script, and what may be done to it; `mode`: `0755`; null: it is a link, or gone. */
export interface ScriptMode {
  readonly file: string
  readonly mode: string | null
}

/** What the journal keeps of a change. */
export interface Item {
  readonly what: string
  readonly why: string
  readonly was: string | null
  readonly becomes: string | null
  readonly command: string
  readonly undo: string
  readonly lost: null
}

export interface Known {
  readonly facts: Facts
  readonly config: Config
  readonly place: Place
  readonly modes: readonly ScriptMode[]
  /** Files of keys that are bound to the name of a host. */
  readonly namedKeys: readonly string[]
  /** Where such keys may be and nobody can look. */
  readonly unreadKeys: readonly string[]
}

type Pair = readonly [name: string, value: string, why: string]

export function planOf({ set }: Wishes, known: Known): { items: Item[]; findings: Finding[] } {
  if (set.length > 0) {
    const pairs = set.map(([name, value]) => [name, value, ''] as const)
    const items = settingItems(pairs, known)
    const isOff = items.length > 0 && set.some(([name, value]) => name === 'UseDNS' && value === 'no')
    return { items, findings: isOff ? namesUsed(known, NOT_FIT) : [] }
  }
  const dns = useDns(known)
  const pairs = [...dns.pairs, ...gssapi(known)]
  const scripts = known.facts.motd.filter(({ seconds }) => seconds >= FAULT_SECONDS)
  return {
    items: [...settingItems(pairs, known), ...scripts.flatMap((one) => scriptItem(one, known))],
    findings: [...dns.findings, ...scripts.flatMap(({ file }) => linkNote(file, known))],
  }
}

/** One file, one item: it is written once, and tried once. */
function settingItems(pairs: readonly Pair[], { facts, place }: Known): Item[] {
  const isNew = ([name, value]: Pair) => setting(facts, name.toLowerCase()) !== value.toLowerCase()
  const wanted = pairs.filter(isNew)
  if (wanted.length === 0) return []
  const lines = linesOf([...pairsOf(place.was ?? ''), ...wanted.map(([name, value]) => [name, value] as const)])
  const words = lines.split('; ').map((line) => `"${line}"`)
  const many = words.length === 1 ? `the line ${words[0]}` : `the lines ${words.join(', ')}`
  return [
    {
      what: place.file,
      why: wanted
        .map(([, , why]) => why)
        .filter((why) => why !== '')
        .join(' '),
      was: place.was,
      becomes: lines,
      command: `in ${place.file}, at the top: ${many}; then sshd -t, and reload sshd`,
      undo: place.was === null ? `rm ${place.file}, and reload sshd` : `take the same lines out, and reload sshd`,
      lost: null,
    },
  ]
}

const LEFT = 'is left alone: names of hosts decide who may log in, or may do so, and without it they would not fit.'
const NOT_FIT =
  'decides whether names of hosts fit, by which it may be decided here who may log in: look at each of them first.'

/** Places where a name of a host decides who may log in. */
function namesUsed({ config, namedKeys, unreadKeys }: Known, says: string): Finding[] {
  const places = [...nameRules(config).map(placeOf), ...namedKeys]
  const known = places.map((source) => ({ source, text: 'has a name in place of an address' }))
  const unread = unreadKeys.map((source) => ({ source, text: 'may bring keys that are bound to a name' }))
  const evidence = [...known, ...unread].slice(0, 10)
  if (evidence.length === 0) return []
  return [{ ...note('ssh.names-are-used', 'UseDNS', says), severity: says === LEFT ? 'note' : 'warning', evidence }]
}

/** Where names decide who may log in, it stays as it is. */
function useDns(known: Known): { pairs: Pair[]; findings: Finding[] } {
  const { facts, config } = known
  if (setting(facts, 'usedns') !== 'yes') return { pairs: [], findings: [] }
  const findings = namesUsed(known, LEFT)
  if (findings.length > 0) return { pairs: [], findings }
  const clients = facts.names.filter(({ role }) => role === 'client')
  const slowest = clients.toSorted((a, b) => allSeconds(b) - allSeconds(a))[0]
  const where = whereSet(config, 'UseDNS') ?? "sshd's default"
  const measured =
    slowest === undefined
      ? ''
      : `, here ${longText({ ...slowest, seconds: allSeconds(slowest) })} for ${slowest.subject}`
  return { pairs: [['UseDNS', 'no', `sshd looks up each client (UseDNS yes, ${where})${measured}.`]], findings: [] }
}

function gssapi({ facts, config }: Known): Pair[] {
  if (setting(facts, 'gssapiauthentication') !== 'yes' || facts.settings?.hasKeytab !== false) return []
  // Beside passwords there would be no other way in.
  if (setting(facts, 'pubkeyauthentication') === 'no') return []
  const where = whereSet(config, 'GSSAPIAuthentication') ?? "sshd's default"
  const why = `Kerberos is offered (GSSAPIAuthentication yes, ${where}), and there is no /etc/krb5.keytab for it.`
  return [['GSSAPIAuthentication', 'no', why]]
}

function scriptItem({ file, seconds }: { readonly file: string; readonly seconds: number }, { modes }: Known): Item[] {
  const was = modes.find((one) => one.file === file)?.mode ?? null
  if (was === null) return []
  const becomes = withoutX(was)
  return [
    {
      what: file,
      why: `Each login waits ${secondsText(seconds)} for it, whether the message is shown or not.`,
      was,
      becomes,
      command: `chmod ${becomes} ${file}`,
      undo: `chmod ${was} ${file}`,
      lost: null,
    },
  ]
}

export const modeText = (mode: number) => (mode & 0o7777).toString(8).padStart(4, '0')
/** Whether a script runs is all that is different. */
export const isOnlyX = (from: string, to: string): boolean =>
  ((Number.parseInt(from, 8) ^ Number.parseInt(to, 8)) & ~0o111) === 0
const withoutX = (mode: string) => modeText(Number.parseInt(mode, 8) & ~0o111)

function linkNote(file: string, { modes }: Known): Finding[] {
  if (modes.some((one) => one.file === file && one.mode !== null)) return []
  const says = 'is left alone: it is a link, and what it leads to belongs to somebody else.'
  return [{ ...note('ssh.motd-link', file, says), remedy: [`rm ${file} takes it out of the message of the day`] }]
}
