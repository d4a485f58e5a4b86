/** What a session of sshd was seen to wait for: looked at again and again while it waits. */
import { isLoopback } from './sockets.ts'

/** One look at a session's processes. */
export interface Sample {
  /** In seconds since the login began. */
  readonly at: number
  readonly processes: readonly Watched[]
}

export interface Watched {
  readonly pid: number
  readonly parent: number
  /** A program or a script; undefined: it was gone, or may not be seen. */
  readonly program: string | undefined
  /** Of the connections that it waits for. */
  readonly peers: readonly Peer[]
  /** What it has open. */
  readonly files: readonly string[]
}

/** Who is at the other end of a socket. */
export type Peer =
  | { readonly kind: 'network'; readonly protocol: 'tcp' | 'udp'; readonly address: string; readonly port: number }
  | { readonly kind: 'local'; readonly path: string }

/** Whom it waits for. */
export type Awaited =
  /** What sshd itself has started, and what that has started, down to the one that does not return. */
  | { readonly kind: 'program'; readonly programs: readonly string[] }
  | { readonly kind: 'peer'; readonly peer: Peer }
  /** A file that sshd, or a module in it, has open, while it waits for nothing else. */
  | { readonly kind: 'file'; readonly file: string }

export interface Waited {
  readonly awaited: Awaited
  readonly seconds: number
}

const SSHD = /\/sshd(?:-session|-auth)?$/

const isSshd = ({ program }: Watched) => program === undefined || SSHD.test(program)

/** Of the time from one moment to another, the longest first. A look stands for the time until the next. */
export function waitedFor(samples: readonly Sample[], from: number, to: number): Waited[] {
  const seconds = new Map<string, Waited>()
  for (const [i, sample] of samples.entries()) {
    const until = Math.min(to, samples[i + 1]?.at ?? to)
    const long = until - Math.max(from, sample.at)
    const awaited = long > 0 ? awaitedIn(sample) : undefined
    if (awaited === undefined) continue
    const key = JSON.stringify(awaited)
    seconds.set(key, { awaited, seconds: (seconds.get(key)?.seconds ?? 0) + long })
  }
  return Array.from(seconds.values()).sort((a, b) => b.seconds - a.seconds)
}

function awaitedIn({ processes }: Sample): Awaited | undefined {
  const programs = chainOf(processes)
  if (programs.length > 0) return { kind: 'program', programs }
  // The last one that was started is the one that the others wait for.
  const peer = processes
    .toReversed()
    .flatMap(({ peers }) => peers)
    .find(isAsked)
  if (peer !== undefined) return { kind: 'peer', peer }
  const file = processes.toReversed().flatMap(({ files }) => files.toReversed())[0]
  return file === undefined ? undefined : { kind: 'file', file }
}

/** From the first that is no sshd down to the last. */
function chainOf(processes: readonly Watched[]): string[] {
  const chain: string[] = []
  let above: Watched | undefined
  for (;;) {
    const next = processes.find((one) =>
      above === undefined
        ? !isSshd(one) && processes.some((parent) => parent.pid === one.parent && isSshd(parent))
        : one.parent === above.pid,
    )
    if (next === undefined) return chain
    if (next.program !== undefined) chain.push(next.program)
    above = next
  }
}

/** Whoever is told things is not waited for. */
const TOLD = /^\/dev\/log$|journal/

/** DNS, Kerberos, directories, and whoever else is connected; the client's own connection is left out before. */
function isAsked(peer: Peer): boolean {
  if (peer.kind === 'local') return !TOLD.test(peer.path)
  return !isLoopback(peer.address) || SERVICES[peer.port] !== undefined
}

const SERVICES: Readonly<Record<number, string>> = {
  53: 'DNS',
  88: 'Kerberos',
  111: 'RPC',
  389: 'LDAP',
  464: 'Kerberos',
  636: 'LDAP',
  749: 'Kerberos',
  1812: 'RADIUS',
  2049: 'NFS',
  3268: 'LDAP',
  3269: 'LDAP',
}

/** Sockets of daemons, by a part of their path. */
const DAEMONS: readonly (readonly [RegExp, string])[] = [
  [/\/dbus\/|system_bus_socket/, 'D-Bus'],
  [/\/sss\//, 'sssd'],
  [/nscd/, 'nscd'],
  [/winbind/, 'winbindd'],
  [/systemd\/resolve/, 'systemd-resolved'],
  [/systemd\/userdb/, 'systemd-userdbd'],
  [/nslcd/, 'nslcd'],
]

export const isBus = (peer: Peer) => peer.kind === 'local' && DAEMONS[0]![0].test(peer.path)
export const isDns = (peer: Peer) => peer.kind === 'network' && peer.port === 53

/** `DNS at 10.0.0.1`, `D-Bus (/run/dbus/system_bus_socket)`. */
export function peerText(peer: Peer): string {
  if (peer.kind === 'local') {
    const daemon = DAEMONS.find(([pattern]) => pattern.test(peer.path))?.[1]
    return daemon === undefined ? peer.path : `${daemon} (${peer.path})`
  }
  const service = SERVICES[peer.port]
  return service === undefined ? `${peer.address} port ${peer.port}` : `${service} at ${peer.address}`
}
