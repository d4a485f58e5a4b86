/** /proc/net as the kernel writes it, and /etc/resolv.conf. */

export interface Endpoint {
  readonly address: string
  readonly port: number
}

export interface Socket {
  readonly protocol: 'tcp' | 'udp'
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly isListening: boolean
  readonly isConnected: boolean
  readonly inode: string
}

/** /proc/net/tcp, tcp6, udp or udp6 (proc(5)). */
export function readSockets(text: string, protocol: Socket['protocol']): Socket[] {
  return text.split('\n').flatMap((line): Socket[] => {
    const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/)
    const ends = [local, remote].map(endpoint)
    if (ends.includes(undefined) || inode === undefined) return []
    const isListening = protocol === 'tcp' && state === '0A'
    const isConnected = state === '01' || (protocol === 'tcp' && state === '02')
    return [{ protocol, local: ends[0]!, remote: ends[1]!, isListening, isConnected, inode }]
  })
}

/** `0100007F:0016`: words of 32 bits, the last byte first. */
function endpoint(text: string | undefined): Endpoint | undefined {
  const [, hex, port] = /^((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})$/.exec(text ?? '') ?? []
  if (hex === undefined) return undefined
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse())
  return { address: addressOf(bytes.map((one) => Number.parseInt(one, 16))), port: Number.parseInt(port!, 16) }
}

function addressOf(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.')
  const isMapped = bytes.slice(0, 10).every((one) => one === 0) && bytes[10] === 0xff && bytes[11] === 0xff
  if (isMapped) return bytes.slice(12).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16))
  const zeros = /(?:^|:)0(?::0)+(?:$|:)/g
  const longest = (groups.join(':').match(zeros) ?? []).sort((a, b) => b.length - a.length)[0]
  return longest === undefined ? groups.join(':') : groups.join(':').replace(longest, '::')
}

export const isLoopback = (address: string) => address === '::1' || /^127\./.test(address)

/** Addresses that talk to these ports from elsewhere, the latest first. */
export function clientsOf(sockets: readonly Socket[], ports: ReadonlySet<number>): string[] {
  const addresses = sockets
    .filter(({ isConnected, local }) => isConnected && ports.has(local.port))
    .map(({ remote }) => remote.address)
  return Array.from(new Set(addresses.filter((one) => !isLoopback(one))))
}

export interface Resolving {
  readonly servers: readonly string[]
  /** How long each is waited for, and how often all of them are asked. */
  readonly timeoutSeconds: number
  readonly attempts: number
}

/** resolv.conf(5): three servers at most; without any, this machine itself is asked. */
export function readResolvConf(text: string): Resolving {
  const servers: string[] = []
  let [timeoutSeconds, attempts] = [5, 2]
  for (const line of text.split('\n')) {
    const [, server] = /^nameserver\s+(\S+)/.exec(line) ?? []
    if (server !== undefined && servers.length < 3) servers.push(server)
    if (!/^options\s/.test(line)) continue
    timeoutSeconds = Math.min(30, Number(/\stimeout:(\d+)/.exec(line)?.[1] ?? timeoutSeconds))
    attempts = Math.min(5, Number(/\sattempts:(\d+)/.exec(line)?.[1] ?? attempts))
  }
  return { servers: servers.length === 0 ? ['127.0.0.1'] : servers, timeoutSeconds, attempts }
}

/** Under which the name of an address stands in the DNS (RFC 1035, RFC 3596). */
export function reverseName(address: string): string {
  if (!address.includes(':')) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  const [head = '', tail] = address.replace(/%.*$/, '').split('::')
  const groups = (text: string | undefined) => (text === undefined || text === '' ? [] : text.split(':'))
  const [front, back] = [groups(head), groups(tail)]
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0')
  const digits = [...front, ...zeros, ...back].map((one) => one.padStart(4, '0')).join('')
  return `${Array.from(digits).reverse().join('.')}.ip6.arpa`
}
