/** What the client's own files say: `ssh -G`, resolv.conf(5), nsswitch.conf(5). */
import type { Resolvers, Settings } from './facts.ts'

/** Lines of `name value`. */
export function readSettings(text: string, seconds: number): Settings {
  const values = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^(\S+) ?(.*)$/.exec(line.trimEnd()) ?? []
    if (name === '') continue
    const known = values.get(name.toLowerCase())
    if (known === undefined) values.set(name.toLowerCase(), [value])
    else known.push(value)
  }
  return { values, seconds }
}

/** glibc asks no more than these (resolv.conf(5), MAXNS). */
const SERVERS_MAX = 3

export function readResolvers(resolvConf: string, nsswitch: string): Resolvers {
  const servers: string[] = []
  let search: string[] = []
  for (const line of resolvConf.split('\n')) {
    const [word, ...values] = line.trim().split(/\s+/)
    if (word === 'nameserver' && values[0] !== undefined && servers.length < SERVERS_MAX) servers.push(values[0])
    // The last one counts.
    if (word === 'search' || word === 'domain') search = values
  }
  const hosts = /^\s*hosts:(.*)$/m.exec(nsswitch)?.[1] ?? 'files dns'
  // Without one, the machine itself is asked.
  return {
    servers: servers.length === 0 ? ['127.0.0.1'] : servers,
    search,
    sources: hosts.replace(/#.*/, '').trim().split(/\s+/),
  }
}

/** The names that are asked for when this one is looked up; a short one has a domain put behind it. */
export function fullNames(name: string, { search }: Resolvers): readonly string[] {
  return name.includes('.') || search.length === 0 ? [name] : search.slice(0, 2).map((domain) => `${name}.${domain}`)
}
