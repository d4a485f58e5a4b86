/** Where a machine looks names up, and under which names: resolv.conf(5), nsswitch.conf(5). */

/** /etc/resolv.conf, and the line `hosts:` of /etc/nsswitch.conf. */
export interface Resolvers {
  readonly servers: readonly string[]
  readonly search: readonly string[]
  readonly sources: readonly string[]
}

/** glibc asks no more than these (resolv.conf(5), MAXNS). */
const SERVERS_MAX = 3

export function readResolvers(resolvConf: string, nsswitch = ''): Resolvers {
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

/** The name under which the DNS has the name of an address: `4.2.0.192.in-addr.arpa` (RFC 1035, RFC 3596). */
export function reverseName(address: string): string {
  if (!address.includes(':')) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  const [head = '', tail] = address.replace(/%.*/, '').split('::')
  const groups = (part: string | undefined) => (part === undefined || part === '' ? [] : part.split(':'))
  const [front, back] = [groups(head), groups(tail)]
  const middle = tail === undefined ? [] : Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0')
  const digits = [...front, ...middle, ...back].map((group) => group.padStart(4, '0')).join('')
  return `${digits.split('').reverse().join('.')}.ip6.arpa`
}
