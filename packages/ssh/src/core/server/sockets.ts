/** /proc/net as the kernel writes it. */

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
  /** Of whom it is. */
  readonly uid: number
}

/** /proc/net/tcp, tcp6, udp or udp6 (proc(5)). */
export function readSockets(text: string, protocol: Socket['protocol']): Socket[] {
  return text.split('\n').flatMap((line): Socket[] => {
    const [, local, remote, state, , , , uid, , inode] = line.trim().split(/\s+/)
    const ends = [local, remote].map(endpoint)
    if (ends.includes(undefined) || inode === undefined) return []
    const isListening = protocol === 'tcp' && state === '0A'
    const isConnected = state === '01' || (protocol === 'tcp' && state === '02')
    return [{ protocol, local: ends[0]!, remote: ends[1]!, isListening, isConnected, inode, uid: Number(uid) }]
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

/** Whether one of root is at the other end of a connection to this port here; what is closed is nobody's. */
export const isFromRoot = (sockets: readonly Socket[], from: Endpoint, port: number): boolean =>
  sockets.some(
    ({ isConnected, uid, inode, local, remote }) =>
      isConnected &&
      uid === 0 &&
      inode !== '0' &&
      local.port === from.port &&
      local.address === from.address &&
      remote.port === port,
  )

export const isLoopback = (address: string) => address === '::1' || /^127\./.test(address)

/** Addresses that talk to these ports from elsewhere, the latest first. */
export function clientsOf(sockets: readonly Socket[], ports: ReadonlySet<number>): string[] {
  const addresses = sockets
    .filter(({ isConnected, local }) => isConnected && ports.has(local.port))
    .map(({ remote }) => remote.address)
  return Array.from(new Set(addresses.filter((one) => !isLoopback(one))))
}
