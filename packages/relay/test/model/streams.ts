/** Streams as coturn makes them, with the true counters of every allocation planted in them. */
import fc from 'fast-check'
import { rules } from '../../src/core/state.ts'
import type { CountEvent, Four, ModelEvent, Path } from './events.ts'

/** What one allocation really moved. */
export interface Life extends Path {
  readonly client: Four
  /** null: coturn before 4.5.2. */
  readonly peer: Four | null
  /** Its end was told; else coturn was killed before, or it is open still. */
  readonly closed: boolean
}

/** An event and whose it is: the index of the life, -1 for none. */
export interface Item {
  readonly event: ModelEvent
  readonly life: number
}

export interface World {
  readonly items: readonly Item[]
  readonly lives: readonly Life[]
  /** For each stream, from 1: whether its source tells servers and boots apart. */
  readonly aware: readonly boolean[]
  /** No time stamps. */
  readonly timeless: boolean
}

/**
 * resp: two servers, each a stream of its own. redis: one server, whose starts cannot be told apart. mixed: two servers
 * behind one Redis, with the same ids. timeless: a pasted text.
 */
type Kind = 'resp' | 'redis' | 'mixed' | 'timeless'

interface Report {
  readonly afterMs: number
  /** Where the packets are cut into four: shares of 4096. */
  readonly cuts: readonly [number, number, number]
  readonly sizes: Four
  /** giant: beyond 4 GiB. edge: just as much as does not make an allocation carry. */
  readonly weight: 'usual' | 'giant' | 'edge'
}

interface LifeSpec {
  readonly server: number
  readonly boot: number
  readonly user: number
  readonly startMs: number
  readonly lifetime: number
  readonly reports: readonly Report[]
  /** The packets after the last full report. */
  readonly rest: Report & { readonly packets: number }
  readonly end: 'goodbye' | 'deleted' | 'left'
  readonly lagMs: number
}

interface ServerSpec {
  readonly peer: boolean
  readonly addresses: boolean
  readonly bootsMs: readonly number[]
  /** How long the connections of a boot outlive it. */
  readonly lagMs: number
}

interface WorldSpec {
  readonly kind: Kind
  readonly offsetMs: number
  /** coturn of at least 4.5.2, and of at least 4.6.0. */
  readonly servers: readonly ServerSpec[]
  readonly lives: readonly LifeSpec[]
  readonly tailMs: readonly number[]
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A multiple of a day, so that buckets begin with it. */
const EPOCH = 20_000 * DAY

export const users: readonly { readonly realm: string; readonly username: string }[] = [
  { realm: 'pano', username: '1795343417:carol' },
  { realm: 'pano', username: '1795349999:carol' },
  { realm: 'pano', username: 'bob' },
  { realm: 'pano', username: '1:eve/allocation/000000000000000001' },
  { realm: 'pano', username: 'x/user/y:z/status' },
  { realm: '', username: '1:carol' },
  { realm: 'other', username: '1:carol' },
]

/** Round ones too, so that events meet boundaries of buckets and the ends of waits. */
const pause = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(0, SECOND, 10 * SECOND, MINUTE, 5 * MINUTE) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 3 * SECOND }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 6 * MINUTE }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 * HOUR }) },
)
const share = fc.nat({ max: 4096 })
const size = fc.integer({ min: 1, max: 1400 })

const report: fc.Arbitrary<Report> = fc.record({
  afterMs: pause,
  cuts: fc.tuple(share, share, share),
  sizes: fc.tuple(size, size, size, size),
  weight: fc.constantFrom('usual', 'usual', 'usual', 'usual', 'usual', 'usual', 'giant', 'edge'),
})

const life: fc.Arbitrary<LifeSpec> = fc.record({
  server: fc.nat({ max: 1 }),
  boot: fc.nat({ max: 2 }),
  user: fc.nat({ max: users.length - 1 }),
  startMs: pause,
  lifetime: fc.constantFrom(600, 600, 3600),
  reports: fc.array(report, { maxLength: 4 }),
  rest: fc.tuple(report, fc.nat({ max: 200 })).map(([one, packets]) => ({ ...one, packets })),
  end: fc.constantFrom('deleted', 'goodbye', 'left'),
  lagMs: fc.nat({ max: 1500 }),
})

const server = fc.record({
  peer: fc.nat({ max: 3 }).map((n) => n > 0),
  addresses: fc.nat({ max: 3 }).map((n) => n > 0),
  bootsMs: fc.array(fc.integer({ min: SECOND, max: HOUR }), { maxLength: 2 }),
  lagMs: fc.nat({ max: 5000 }),
})

/** How long is listened on after the last event: until accounts close, expire, are rejected or forgotten, or not. */
export const passing = fc.constantFrom(
  300,
  SECOND,
  11 * SECOND,
  31 * SECOND,
  3 * MINUTE,
  15 * MINUTE,
  HOUR,
  2 * HOUR + MINUTE,
  DAY,
  3 * DAY,
)

/** A stream as coturn makes it, heard in full. */
export function world(kinds: readonly Kind[] = ['resp', 'redis', 'mixed', 'timeless']): fc.Arbitrary<World> {
  const spec = fc.record({
    kind: fc.constantFrom(...kinds),
    offsetMs: fc.oneof(fc.constantFrom(0, MINUTE), fc.nat({ max: 10 * MINUTE })),
    servers: fc.tuple(server, server),
    lives: fc.array(life, { minLength: 1, maxLength: 7 }),
    tailMs: fc.array(passing, { maxLength: 3 }),
  })
  return spec.map(build)
}

function build(spec: WorldSpec): World {
  const timeless = spec.kind === 'timeless'
  const servers = spec.kind === 'redis' || timeless ? spec.servers.slice(0, 1) : spec.servers
  const aware = spec.kind === 'resp' ? [true, true] : [false]
  const lives: Life[] = []
  const timed: Item[] = []
  const numbers = new Map<string, number>()
  for (const one of [...spec.lives].sort((a, b) => a.startMs - b.startMs)) {
    const nth = one.server % servers.length
    const told = tell(spec, nth, one, numbers)
    if (told.events.length === 0) continue
    const own = lives.push(told.life) - 1
    timed.push(...told.events.map((event) => ({ event, life: own })))
  }
  if (aware[0]) timed.push(...restarts(spec))
  timed.sort((a, b) => a.event.t! - b.event.t!)
  const last = timed.at(-1)?.event.t ?? EPOCH
  spec.tailMs.forEach((_, i) => {
    const t = spec.tailMs.slice(0, i + 1).reduce((sum, ms) => sum + ms, last)
    timed.push({ event: { kind: 'tick', t }, life: -1 })
  })
  const items = timeless ? timed.map(({ event, life: own }) => ({ event: { ...event, t: null }, life: own })) : timed
  return { items, lives, aware, timeless }
}

/** When each boot of a server begins, and when the last one would end. */
function bootTimes(spec: WorldSpec, nth: number): number[] {
  const times = [EPOCH + spec.offsetMs]
  for (const ms of spec.servers[nth]!.bootsMs) times.push(times.at(-1)! + ms)
  return [...times, Number.POSITIVE_INFINITY]
}

/** Each boot but the last is over a while after the next one has begun. */
function restarts(spec: WorldSpec): Item[] {
  return spec.servers.flatMap(({ lagMs }, nth) => {
    const times = bootTimes(spec, nth)
    return times.slice(1, -1).map((t, i): Item => {
      return { event: { kind: 'restarted', t: t + lagMs, stream: nth + 1, boot: i + 2, over: i + 1 }, life: -1 }
    })
  })
}

/** One allocation's events, up to when its coturn is killed, and what it really moved until its last report. */
function tell(spec: WorldSpec, nth: number, one: LifeSpec, numbers: Map<string, number>) {
  const { peer: hasPeer, addresses, bootsMs } = spec.servers[nth]!
  const boot = Math.min(one.boot, bootsMs.length)
  const [from, until] = bootTimes(spec, nth).slice(boot) as [number, number]
  const number = (numbers.get(`${nth}/${boot}`) ?? 0) + 1
  numbers.set(`${nth}/${boot}`, number)
  const isAware = spec.kind === 'resp'
  const id = String(number).padStart(18, '0')
  const path: Path = { stream: isAware ? nth + 1 : 1, boot: isAware ? boot + 1 : 0, ...users[one.user]!, id }
  const said = addresses
    ? { server: `10.0.0.${nth + 1}:3478`, client: `192.0.2.1:${4000 + number}` }
    : { server: null, client: null }
  const events: ModelEvent[] = []
  let t = from + one.startMs
  let refreshAt = t
  let client: Four = [0, 0, 0, 0]
  let peer: Four = [0, 0, 0, 0]

  const say = (event: ModelEvent) => {
    if (t < until) events.push(event)
  }
  const status = (kind: 'new' | 'refreshed', lifetime: number) => {
    say({ kind, t, ...path, lifetime, ...said })
    refreshAt = t + lifetime * 900
  }
  const pass = (ms: number) => {
    const end = t + ms
    while (refreshAt <= end) {
      t = refreshAt
      status('refreshed', one.lifetime)
    }
    t = end
  }
  const count = (kind: CountEvent['kind'], n: Four) => say({ kind, t, ...path, n })
  const tellReport = (now: Report, packets: number) => {
    if (packets === 0 || t >= until) return
    const [ours, theirs] = split(now, packets, hasPeer)
    client = sum(client, ours)
    count('traffic', ours)
    if (!hasPeer) return
    peer = sum(peer, theirs)
    count('traffic/peer', theirs)
  }

  status('new', one.lifetime)
  for (const now of one.reports) {
    pass(now.afterMs)
    tellReport(now, hasPeer ? 4096 : 2048)
  }
  const ends = one.end !== 'left'
  if (ends) {
    pass(one.rest.afterMs)
    if (one.end === 'goodbye') {
      say({ kind: 'refreshed', t, ...path, lifetime: 0, ...said })
      t += one.lagMs
    }
    tellReport(one.rest, one.rest.packets)
    say({ kind: 'deleted', t, ...path })
    count('total_traffic', client)
    if (hasPeer) count('total_traffic/peer', wrapped(peer))
  }
  const closed = ends && t < until
  return { events, life: { ...path, client, peer: hasPeer ? peer : null, closed } satisfies Life }
}

/** Cuts a report's packets into those of the client side and of the peer side. */
function split({ cuts, sizes, weight }: Report, packets: number, hasPeer: boolean): [Four, Four] {
  const at = cuts.map((cut) => Math.floor((cut * packets) / 4096)).sort((a, b) => a - b) as [number, number, number]
  const counts = hasPeer ? [at[0], at[1] - at[0], at[2] - at[1], packets - at[2]] : [at[0], packets - at[0], 0, 0]
  const usual = counts.map((n, k) => n * sizes[k]! * (weight === 'giant' ? 1000 : 1))
  const edge = [sizes[0], rules.carryBytes - sizes[0], sizes[2], rules.carryBytes - sizes[2]]
  const bytes = weight === 'edge' ? edge : usual
  return [
    [counts[0]!, bytes[0]!, counts[1]!, bytes[1]!],
    [counts[2]!, bytes[2]!, counts[3]!, bytes[3]!],
  ]
}

function sum(a: Four, b: Four): Four {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]]
}

/** coturn keeps the peer's totals in 32 bits. */
function wrapped(n: Four): Four {
  const wrap = (one: number) => one % 2 ** 32
  return [wrap(n[0]), wrap(n[1]), wrap(n[2]), wrap(n[3])]
}
