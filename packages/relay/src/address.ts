/** Where something listens: HOST:PORT, as operators write it. */
import { type AddressInfo, BlockList, isIP, type Server } from 'node:net'

export interface Address {
  /** An IPv6 address without brackets. */
  readonly host: string
  readonly port: number
}

/** `HOST:PORT`, an IPv6 host in brackets. */
export function readAddress(value: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(value)
  if (match === null || Number(match[3]) > 65_535) return undefined
  return { host: (match[1] ?? match[2])!, port: Number(match[3]) }
}

/** As `readAddress` reads it. */
export const addressText = (host: string, port: number) => `${host.includes(':') ? `[${host}]` : host}:${port}`

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

/** Whether only this machine reaches it; no name but localhost is looked up. */
export function isLoopback(host: string): boolean {
  const family = isIP(host)
  if (family === 0) return host.toLowerCase() === 'localhost'
  return loopback.check(host, family === 6 ? 'ipv6' : 'ipv4')
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something else listens there already',
  EACCES: 'this user may not listen there',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
}

/**
 * Listens, and resolves to the port. Rejects with one line that says why nothing can listen there. `flag`: by which
 * another address is given.
 */
export async function listenAt(server: Server, { host, port }: Address, flag: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => {
      const why = reasons[error.code ?? ''] ?? error.message
      reject(new Error(`${addressText(host, port)}: ${why}; choose another ${flag}`))
    }
    server.once('error', refuse)
    server.listen({ host, port }, () => {
      server.off('error', refuse)
      resolve()
    })
  })
  return (server.address() as AddressInfo).port
}
