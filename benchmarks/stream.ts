/** Plays coturn for the benchmarks: opens allocations and reports their traffic over connections of its own. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Reports of one allocation at a time, as coturn sends them: the client's side, then the peer's. */
const BLOCK_PAIRS = 16_384
const CONNECTIONS = 2
/** Opened at once, and how long is waited then: 8000 a second, which an idle store keeps up with. */
const PORTION = 400
const PORTION_MS = 50
/** More than this waiting means that the other side does not keep up. */
const WAITING_MAX = 4 * 1024 * 1024

function command(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`
}

const path = (i: number) =>
  `turn/realm/example.org/user/1795344209:device${i}/allocation/${String(i).padStart(18, '0')}`
/** No refreshes are played; in the benchmark's fast time a usual lifetime would run out. */
const OPENED = [
  'status',
  'new lifetime=100000000, type=UDP, local=192.0.2.1:3478, remote=192.0.2.7:5000, ssl=NONE, cipher=NONE',
] as const
const NOTHING = 'rcvp=0, rcvb=0, sentp=0, sentb=0'
const ENDED = [
  ['status', 'deleted'],
  ['total_traffic', NOTHING],
  ['total_traffic/peer', NOTHING],
] as const
type Saying = readonly [kind: string, text: string]
/** Waits until the allocation of this number is in the store: what waits for that would count as memory of the live. */
type Kept = (number: number) => Promise<void>

export interface Coturn {
  /** Events answered so far: what the other side has taken. */
  answered(): number
  /** Opens the allocations, at most at a fixed rate, and waits until they are taken. */
  open(kept?: Kept): Promise<void>
  /** Reports at this rate, uniformly over the allocations, for so long; returns the bytes reported as received. */
  report(eventsPerSecond: number, milliseconds: number): Promise<number>
  /** Ends the allocations with totals of nothing, and waits until that is taken. */
  end(): Promise<void>
  close(): void
}

/** A coturn of `live` allocations, numbered from `first` on. */
export async function startCoturn(port: number, token: string, live: number, first = 1): Promise<Coturn> {
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => connected(port)))
  let answeredBytes = 0
  for (const socket of sockets) {
    socket.on('data', (chunk) => {
      answeredBytes += chunk.length
    })
    socket.write(command('AUTH', token))
  }
  const blocks = sockets.map((_, i) => reports(live, first, i))
  const answered = () => (answeredBytes - CONNECTIONS * '+OK\r\n'.length) / ':1\r\n'.length
  const drained = async (events: number) => {
    while (answered() < events) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  let sent = 0
  /** Says the same of each allocation, on one connection: it is heard in this order. */
  const sayOfAll = async (sayings: readonly Saying[], kept?: Kept) => {
    for (let from = 0; from < live; from += PORTION) {
      const to = Math.min(live, from + PORTION)
      const numbers = Array.from({ length: to - from }, (_, i) => first + from + i)
      const words = numbers.flatMap((n) =>
        sayings.map(([kind, text]) => command('PUBLISH', `${path(n)}/${kind}`, text)),
      )
      sockets[0]!.write(words.join(''), 'latin1')
      sent += words.length
      await Promise.all([kept?.(first + to - 1), new Promise((resolve) => setTimeout(resolve, PORTION_MS))])
    }
    await drained(sent)
  }
  return {
    answered,
    open: (kept) => sayOfAll([OPENED], kept),
    end: () => sayOfAll(ENDED),
    async report(eventsPerSecond, milliseconds) {
      const before = sent
      const began = performance.now()
      const at = sockets.map(() => 0)
      let bytes = 0
      for (let elapsed = 0; elapsed < milliseconds; elapsed = performance.now() - began) {
        const due = before + (eventsPerSecond * elapsed) / 1000
        for (const [i, socket] of sockets.entries()) {
          if (sent >= due || socket.writableLength > WAITING_MAX) continue
          const { buffer, ends, received } = blocks[i]!
          const from = at[i]!
          const to = Math.min(BLOCK_PAIRS, from + Math.max(1, Math.ceil((due - sent) / 4)))
          socket.write(buffer.subarray(ends[from]!, ends[to]!))
          bytes += received[to]! - received[from]!
          sent += (to - from) * 2
          at[i] = to === BLOCK_PAIRS ? 0 : to
        }
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      await drained(sent)
      return bytes
    },
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** Pairs of reports of random allocations, encoded once; `ends[i]` and `received[i]` are sums up to pair i. */
function reports(
  live: number,
  first: number,
  seed: number,
): { buffer: Buffer; ends: Int32Array; received: Float64Array } {
  const ends = new Int32Array(BLOCK_PAIRS + 1)
  const received = new Float64Array(BLOCK_PAIRS + 1)
  const parts: string[] = []
  let random = 12_345 + seed * 999
  const next = (below: number) => {
    random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fffffff
    return Math.floor((random / 0x80000000) * below)
  }
  for (let i = 0; i < BLOCK_PAIRS; i++) {
    const channel = path(first + next(live))
    const bytes = 1_000_000 + next(400_000)
    const text =
      command('PUBLISH', `${channel}/traffic`, `rcvp=1024, rcvb=${bytes}, sentp=1024, sentb=${next(90_000)}`) +
      command('PUBLISH', `${channel}/traffic/peer`, `rcvp=1024, rcvb=${next(90_000)}, sentp=1024, sentb=${bytes}`)
    parts.push(text)
    ends[i + 1] = ends[i]! + text.length
    received[i + 1] = received[i]! + bytes
  }
  return { buffer: Buffer.from(parts.join(''), 'latin1'), ends, received }
}
