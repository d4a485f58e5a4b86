/** Looks again and again at what a session of sshd waits for. */

import { localPeers } from '../core/server/local-peers.ts'
import type { Socket } from '../core/server/sockets.ts'
import type { Peer, Sample, Watched } from '../core/server/watch.ts'
import { awaitedBy } from './descriptors.ts'
import { networkSockets, openOf, programOf, socketIn, treeOf } from './processes.ts'
import { find, run } from './run.ts'

const EVERY_MS = 100
/** Beyond it, nobody waits for the login any more. */
const SAMPLES_MAX = 3000
/** Who is at the other end is asked for only of what stays open for so many looks. */
const STAYS = 3

export class Watch {
  readonly #pid: number
  readonly #port: number
  readonly #now: () => number
  readonly #samples: Sample[] = []
  readonly #timer: NodeJS.Timeout
  /** By inode: in how many looks it was seen, and who is at the other end. */
  readonly #seen = new Map<string, number>()
  readonly #local = new Map<string, string | null>()
  readonly #network = new Map<string, Socket>()
  #isAsking = false

  /** `port`: of the connection that is watched. */
  constructor(pid: number, port: number, now: () => number) {
    this.#pid = pid
    this.#port = port
    this.#now = now
    this.#timer = setInterval(() => this.#look(), EVERY_MS)
  }

  stop(): readonly Sample[] {
    clearInterval(this.#timer)
    return this.#samples.map(({ at, processes }) => ({ at, processes: processes.map((one) => this.#withLocal(one)) }))
  }

  #look(): void {
    if (this.#samples.length >= SAMPLES_MAX) return
    const processes = treeOf(this.#pid).map(({ pid, parent }): Watched => {
      const awaited = awaitedBy(pid)
      const open = openOf(pid)
      // Where the kernel does not say which of them it waits for, the last one that was opened is the likeliest.
      const asked = awaited === null ? open.toReversed() : open.filter(([descriptor]) => awaited.includes(descriptor))
      const inodes = asked.flatMap(([, to]) => socketIn(to) ?? [])
      this.#learnNetwork(inodes)
      const files = open.map(([, to]) => to).filter((to) => isTold(to))
      return { pid, parent, program: programOf(pid), peers: inodes.flatMap((inode) => this.#peer(inode)), files }
    })
    this.#samples.push({ at: this.#now(), processes })
    // What ss does not tell is not known.
    this.#ask().catch(() => undefined)
  }

  #peer(inode: string): Peer[] {
    const socket = this.#network.get(inode)
    if (socket === undefined) return [{ kind: 'local', path: this.#noted(inode) }]
    const { protocol, remote, local } = socket
    if (local.port === this.#port || remote.port === this.#port) return []
    return [{ kind: 'network', protocol, ...remote }]
  }

  /** All sockets of a busy server are many: they are read again only for one that is new, or not connected yet. */
  #learnNetwork(inodes: readonly string[]): void {
    const isOpen = (inode: string) =>
      !this.#network.has(inode) && !this.#local.has(inode) && (this.#seen.get(inode) ?? 0) < STAYS
    if (!inodes.some(isOpen)) return
    for (const one of networkSockets()) if (one.isConnected) this.#network.set(one.inode, one)
  }

  /** As its path its number, until somebody knows better. */
  #noted(inode: string): string {
    this.#seen.set(inode, (this.#seen.get(inode) ?? 0) + 1)
    return inode
  }

  #withLocal(one: Watched): Watched {
    const peers = one.peers.flatMap((peer): Peer[] => {
      if (peer.kind === 'network') return [peer]
      const path = this.#local.get(peer.path)
      return path == null ? [] : [{ kind: 'local', path }]
    })
    return { ...one, peers }
  }

  /** The kernel tells who is at the other end of a local socket only to programs that speak netlink. */
  async #ask(): Promise<void> {
    const open = Array.from(this.#seen).filter(([inode, times]) => times >= STAYS && !this.#local.has(inode))
    const ss = open.length === 0 || this.#isAsking ? undefined : find('ss')
    if (ss === undefined) return
    this.#isAsking = true
    try {
      const { output } = await run([ss, '-xna'], { seconds: 10 })
      const peers = localPeers(output)
      for (const [inode] of open) this.#local.set(inode, peers.get(inode) ?? null)
    } finally {
      this.#isAsking = false
    }
  }
}

/** A file with data of the machine's own: no pipe, no device, nothing of the kernel, no library. */
const isTold = (to: string) => to.startsWith('/') && !/^\/(?:dev|proc|sys|memfd:|usr\/lib|lib)/.test(to)
