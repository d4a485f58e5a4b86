/** sshd_config with all that it includes: which line of which file sets what (sshd_config(5)). */

/** How the files of a configuration are got at. */
export interface ConfigFiles {
  /** Undefined: there is none, or it cannot be read. */
  text(file: string): string | undefined
  /** What a pattern of the shell stands for, in the order in which sshd reads it. */
  files(pattern: string): readonly string[]
}

export interface ConfigLine {
  /** In small letters, for sshd does not mind. */
  readonly name: string
  readonly values: readonly string[]
  readonly file: string
  readonly line: number
  /** What a connection has to be like for it to count; null: it counts for all. */
  readonly match: string | null
}

export interface Config {
  /** In the order in which sshd reads them. Of most settings the first value counts. */
  readonly lines: readonly ConfigLine[]
  /** What is included, and with which files. */
  readonly includes: readonly (ConfigLine & { readonly found: readonly string[] })[]
}

/** As deep as sshd itself goes (servconf.c, SERVCONF_MAX_DEPTH). */
const DEPTH_MAX = 16
const LINES_MAX = 20_000
const FOLDER = '/etc/ssh'

export function readConfig(file: string, from: ConfigFiles): Config {
  const reading = new Reading(from)
  reading.read(file, null, 0)
  return { lines: reading.lines, includes: reading.includes }
}

class Reading {
  readonly lines: ConfigLine[] = []
  readonly includes: (ConfigLine & { found: readonly string[] })[] = []
  readonly #from: ConfigFiles

  constructor(from: ConfigFiles) {
    this.#from = from
  }

  /** A Match of an included file ends with it; one that is around it holds for all of it. */
  read(file: string, outer: string | null, depth: number): void {
    if (depth > DEPTH_MAX) return
    let match = outer
    for (const [i, raw] of (this.#from.text(file) ?? '').split('\n').entries()) {
      const words = wordsOf(raw)
      if (words.length === 0 || this.lines.length + this.includes.length >= LINES_MAX) continue
      const [name = '', ...values] = words
      const line: ConfigLine = { name: name.toLowerCase(), values, file, line: i + 1, match }
      if (line.name === 'match') match = narrowed(outer, values.join(' '))
      else if (line.name === 'include') this.#include(line, depth)
      else this.lines.push(line)
    }
  }

  #include(line: ConfigLine, depth: number): void {
    const found = line.values.flatMap((pattern) => this.#from.files(absolute(pattern)))
    this.includes.push({ ...line, found })
    for (const file of found) this.read(file, line.match, depth + 1)
  }
}

/** `Match all` counts for all again. */
function narrowed(outer: string | null, criteria: string): string | null {
  const isAll = criteria.toLowerCase() === 'all'
  if (outer === null) return isAll ? null : criteria
  return isAll ? outer : `${outer}, ${criteria}`
}

const absolute = (pattern: string) => (pattern.startsWith('/') ? pattern : `${FOLDER}/${pattern}`)

/** `Name value "another value" # remark`, or `Name=value`. */
function wordsOf(raw: string): string[] {
  const text = raw.trim()
  if (text === '' || text.startsWith('#')) return []
  const [, name = '', rest = ''] = /^"?([^\s="]+)"?(?:\s*=\s*|\s+|$)(.*)$/.exec(text) ?? []
  const words: string[] = name === '' ? [] : [name]
  for (const [whole, quoted] of rest.matchAll(/"([^"]*)"|\S+/g)) {
    if (whole.startsWith('#')) break
    words.push(quoted ?? whole)
  }
  return words
}

/** The line that counts for all; undefined: it is as sshd has it by itself. */
export const whichSets = ({ lines }: Config, name: string): ConfigLine | undefined =>
  lines.find((one) => one.match === null && one.name === name.toLowerCase())

/** `/etc/ssh/sshd_config:12`; undefined: nobody has written it down. */
export function whereSet(config: Config, name: string): string | undefined {
  const line = whichSets(config, name)
  return line === undefined ? undefined : placeOf(line)
}

export const placeOf = ({ file, line }: { readonly file: string; readonly line: number }) => `${file}:${line}`

/** What `sshd -T` prints: each setting, in small letters, with its values. */
export function readEffective(text: string): ReadonlyMap<string, readonly string[]> {
  const settings = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-z0-9]+) (.*?)\r?$/.exec(line) ?? []
    if (name === undefined) continue
    const values = settings.get(name) ?? []
    values.push(value!)
    settings.set(name, values)
  }
  return settings
}

/** Names in place of addresses, which only UseDNS makes known: who turned it off would change who may log in. */
export function nameRules({ lines }: Config): ConfigLine[] {
  return lines.flatMap((line): ConfigLine[] => {
    const isUsers = line.name === 'allowusers' || line.name === 'denyusers'
    if (isUsers && line.values.some((one) => isHostName(one.split('@').slice(1).at(-1) ?? ''))) return [line]
    if (line.name === 'hostbasedauthentication' && line.values[0]?.toLowerCase() === 'yes') return [line]
    return line.match !== null && /(?:^|[\s,])host[\s=]/i.test(line.match) ? [line] : []
  })
}

/** Lines of access.conf that go by the name of a host or a domain (access.conf(5)). */
export function namedAccess(text: string): number[] {
  return text.split('\n').flatMap((line, i) => {
    const origins = /^\s*[+-]\s*:[^:]*:(.*)$/.exec(line)?.[1]?.split(/[\s,]+/) ?? []
    return origins.some((one) => !NO_ORIGIN_NAME.test(one) && isHostName(one)) ? [i + 1] : []
  })
}

/** Words of access.conf that fit any origin, terminals, and services. LOCAL is a name without a dot. */
const NO_ORIGIN_NAME = /^(?:ALL|NONE|EXCEPT|cron\w*|crond|:\d*|tty\w*|pts\/\w*)$/

/** Neither an address, nor a network, nor a pattern of addresses: `*.example.net`, and `db1` or `cafe` as well. */
export const isHostName = (pattern: string): boolean => {
  const isAddresses = /^[\d.*?/]+$/.test(pattern) || (pattern.includes(':') && /^[\da-f:.*?/]+$/i.test(pattern))
  return pattern !== '' && !isAddresses
}

/** Sources of users of whom /etc/passwd does not tell (nsswitch.conf(5)). */
export function otherSources(nsswitch: string): string[] {
  const words =
    /^[ \t]*passwd:([^#\n]*)/m
      .exec(nsswitch)?.[1]
      ?.replaceAll(/\[[^\]]*\]/g, ' ')
      .split(/\s+/) ?? []
  return words.filter((one) => one !== '' && !/^(?:files|compat|systemd|altfiles)$/.test(one))
}

/** Of authorized_keys: whether a key is bound to the name of a host. */
export function hasNamedFrom(text: string): boolean {
  for (const [, list = ''] of text.matchAll(/^(?![ \t]*#)[^\n]*?\bfrom="([^"\n]*)"/gim)) {
    if (list.split(',').some((one) => isHostName(one.replace(/^!/, '')))) return true
  }
  return false
}
