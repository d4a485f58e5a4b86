/**
 * Made-up sessions, for looking at the page without a relay. Nothing here was measured; it only has to look and move
 * like what a meter says: reports every few thousand packets, calls that begin and end, a server with a gap.
 */
import type { Allocation, Chart, Counters, LiveChange, LiveSession, LiveSnapshot, Session } from '@fettle/relay/api'

export interface WorldOptions {
  /** The same seed makes the same world. */
  readonly seed: number
  /** How many sessions are open at the start. */
  readonly open: number
  /** How many that have ended are shown. */
  readonly ended: number
  readonly now: number
  /** What the first devices are called; the others get names by chance. */
  readonly devices?: readonly string[] | undefined
}

export interface World {
  snapshot(): LiveSnapshot
  /** Moves on, and says what has changed. `share`: of the open sessions, how many report. */
  step(now: number, share: number): LiveChange
  sessions(): Session[]
  rates(id: number): LiveSession['rates']
}

interface Call {
  session: Session
  /** Bits per second. */
  readonly receiving: number
  readonly sending: number
  readonly endsAt: number
  reportedAt: number
}

const realms = ['turn.example.org', 'turn.example.org', 'turn.example.org', 'meet.example.net']
const accounts = ['harbour-clinic', 'lumen-school', 'fjord-air', 'oakfield-council', 'tern-logistics', null]
const places = ['ward', 'desk', 'kiosk', 'room', 'van', 'lobby', 'studio', 'dock']
const names = ['turn1.fra', 'turn2.fra', 'turn1.ams']
const STEP_MS = 5000
const HOUR_MS = 3_600_000
/** After this time all has been reported. */
const REPORTED_MS = 60_000
const BUCKET_MS = 300_000
const PACKET_BYTES = 890

export function createWorld(options: WorldOptions): World {
  const chance = random(options.seed)
  const pick = <T>(list: readonly T[]) => list[Math.floor(chance() * list.length)]!
  const calls = new Map<number, Call>()
  const removed: number[] = []
  let commit = 1041
  let nextId = 1
  let now = options.now
  let rates: LiveSession['rates'][] = []
  let ratesUntil = 0

  const begin = (startedAt: number, endsAt: number) => {
    const id = nextId++
    const unused = chance() < 0.12
    const heavy = chance() < 0.2 ? 4 : 1
    const [receiving, sending] = unused ? [0, 0] : [(0.2 + chance()) * 900_000 * heavy, (0.2 + chance()) * 1_400_000]
    const made = `${pick(places)}-${String(1 + Math.floor(chance() * 60)).padStart(2, '0')}`
    const device = options.devices?.[id - 1] ?? made
    const allocation = firstAllocation(
      id,
      device,
      pick(names),
      startedAt,
      `198.51.100.${1 + Math.floor(chance() * 250)}`,
    )
    const realm = pick(realms)
    const session = firstSession(id, realm, device, pick(accounts), allocation)
    const call: Call = { session, receiving, sending, endsAt, reportedAt: startedAt }
    calls.set(id, call)
    return call
  }

  const totals = (): LiveSnapshot['totals'] => {
    const open = Array.from(calls.values()).filter(isOpen)
    return {
      sessions: open.length,
      allocations: open.length,
      rates: {
        receivedBitsPerSecond: Math.round(open.reduce((sum, call) => sum + call.receiving, 0)),
        sentBitsPerSecond: Math.round(open.reduce((sum, call) => sum + call.sending, 0)),
      },
    }
  }

  const turnover = (changed: Set<Call>) => {
    for (const call of calls.values()) {
      if (!isOpen(call) || call.endsAt > now) continue
      report(call, call.endsAt)
      end(call, chance())
      changed.add(call)
    }
    const open = Array.from(calls.values()).filter(isOpen).length
    for (let i = open; i < options.open; i++) changed.add(begin(now, now + 60_000 + chance() * HOUR_MS))
    const ended = Array.from(calls.values()).filter((call) => !isOpen(call))
    ended.sort((a, b) => a.endsAt - b.endsAt)
    for (const { session } of ended.slice(0, Math.max(0, ended.length - options.ended))) {
      calls.delete(session.id)
      removed.push(session.id)
    }
  }

  for (let i = 0; i < options.ended; i++) {
    const endsAt = now - (options.ended - i) * 55_000 * (0.5 + chance())
    begin(endsAt - 5000 - chance() * 1_500_000, endsAt)
  }
  for (let i = 0; i < options.open; i++) {
    const startedAt = now - ((options.open - i) / options.open) ** 2 * HOUR_MS * 1.3
    report(begin(startedAt, now + 20_000 + chance() * HOUR_MS), Math.max(startedAt, now - chance() * 9000))
  }
  turnover(new Set())
  rates = pastOf(totals().rates, chance)
  ratesUntil = Math.floor(now / STEP_MS) * STEP_MS

  return {
    snapshot: () => ({
      commit,
      at: iso(now),
      totals: totals(),
      sessions: Array.from(calls.values(), liveOf).sort((a, b) => b.id - a.id),
      servers: servers(now, Array.from(calls.values())),
      findings: [],
      chart: chartOf(rates, ratesUntil),
    }),
    step(at, share) {
      now = at
      commit++
      const changed = new Set<Call>()
      for (const call of calls.values()) {
        if (!isOpen(call) || chance() >= share) continue
        report(call, now)
        changed.add(call)
      }
      turnover(changed)
      const change: LiveChange = {
        commit,
        at: iso(now),
        totals: totals(),
        sessions: Array.from(changed, liveOf),
        gone: removed.splice(0),
        servers: servers(now, Array.from(calls.values())),
      }
      if (now < ratesUntil + STEP_MS) return change
      for (; ratesUntil + STEP_MS <= now; ratesUntil += STEP_MS) rates.push(wobble(change.totals.rates, chance))
      rates = rates.slice(-HOUR_MS / STEP_MS)
      return { ...change, chart: chartOf(rates.slice(-REPORTED_MS / STEP_MS - 1), ratesUntil) }
    },
    sessions: () => Array.from(calls.values(), ({ session }) => session),
    rates: (id) => liveOf(calls.get(id)!).rates,
  }
}

function isOpen({ session }: Call): boolean {
  return session.state === 'open'
}

function liveOf({ session, receiving, sending }: Call): LiveSession {
  const { allocations, labels: _labels, key: _key, revision: _revision, ...rest } = session
  const rates = { receivedBitsPerSecond: Math.round(receiving), sentBitsPerSecond: Math.round(sending) }
  const none = { receivedBitsPerSecond: 0, sentBitsPerSecond: 0 }
  return { ...rest, allocations: allocations.length, rates: session.state === 'open' ? rates : none }
}

const nothing: Counters = { receivedBytes: 0, receivedPackets: 0, sentBytes: 0, sentPackets: 0 }

function firstAllocation(id: number, device: string, server: string, startedAt: number, client: string): Allocation {
  const udp = id % 5 !== 0
  return {
    id: `00${id % 4}${String(id).padStart(15, '0')}`,
    server,
    boot: server === 'turn1.ams' ? 3 : 1,
    username: `${Math.floor(startedAt / 1000) + 86_400}:${device}`,
    state: 'open',
    end: 'open',
    quality: 'lower_bound',
    missing: { packets: 4095, bytes: 4095 * PACKET_BYTES },
    unheard: { packets: 0, bytes: 0 },
    quirks: [],
    startedAt: iso(startedAt),
    startedBefore: null,
    goodbyeAt: null,
    endedAt: null,
    carries: false,
    relaySeconds: null,
    relaySecondsMax: null,
    lifetimeSeconds: 600,
    refreshes: 0,
    transport: udp ? 'UDP' : 'TLS',
    clientAddress: `${client}:${40_000 + (id % 20_000)}`,
    serverAddress: `203.0.113.${10 + names.indexOf(server)}:3478`,
    tls: udp ? null : 'TLSv1.3 TLS_AES_256_GCM_SHA384',
    origin: null,
    closeReason: null,
    client: nothing,
    peer: nothing,
  }
}

function firstSession(
  id: number,
  realm: string,
  device: string,
  account: string | null,
  allocation: Allocation,
): Session {
  return {
    id,
    key: `${realm}/${device}`,
    realm,
    device,
    account,
    labels: {},
    class: 'unused',
    quality: 'lower_bound',
    missing: allocation.missing,
    state: 'open',
    end: 'open',
    revision: 0,
    startedAt: allocation.startedAt,
    endedAt: null,
    durationSeconds: null,
    relaySeconds: null,
    relaySecondsMax: null,
    servers: [allocation.server!],
    client: nothing,
    peer: nothing,
    allocations: [allocation],
  }
}

/** Counters up to this moment; nothing of the session that was shown before is touched. */
function report(call: Call, at: number): void {
  const seconds = Math.max(0, at - call.reportedAt) / 1000
  call.reportedAt = at
  const add = (side: Counters, receiving: number, sending: number, more: number): Counters => {
    const received = Math.round((receiving / 8) * seconds)
    const sent = Math.round((sending / 8) * seconds)
    const receivedPackets = Math.round(received / PACKET_BYTES)
    const sentPackets = Math.round(sent / PACKET_BYTES)
    return {
      receivedBytes: side.receivedBytes + received + more * receivedPackets,
      receivedPackets: side.receivedPackets + receivedPackets,
      sentBytes: side.sentBytes + sent + more * sentPackets,
      sentPackets: side.sentPackets + sentPackets,
    }
  }
  const { session } = call
  const client = add(session.client, call.receiving, call.sending, 4)
  const peer = add(session.peer!, call.sending, call.receiving, 0)
  const carries = peer.receivedBytes + peer.sentBytes > 65_536
  const refreshes = Math.max(0, Math.floor((at - Date.parse(session.startedAt!)) / 540_000))
  const allocation: Allocation = { ...session.allocations[0]!, client, peer, carries, refreshes }
  call.session = { ...session, class: carries ? 'relayed' : 'unused', client, peer, allocations: [allocation] }
}

function end(call: Call, chance: number): void {
  const how = chance < 0.84 ? 'deleted' : chance < 0.95 ? 'expired' : 'restarted'
  const quality = how === 'restarted' ? 'lower_bound' : 'exact'
  const missing = how === 'restarted' ? call.session.missing : { packets: 0, bytes: 0 }
  const endedAt = iso(call.endsAt)
  const durationSeconds = Math.round(call.endsAt - Date.parse(call.session.startedAt!)) / 1000
  const relaySeconds = call.session.class === 'relayed' ? durationSeconds : null
  const both = { end: how, quality, missing, endedAt, relaySeconds, relaySecondsMax: relaySeconds } as const
  const goodbyeAt = how === 'deleted' ? endedAt : null
  const allocation: Allocation = { ...call.session.allocations[0]!, ...both, state: 'closed', goodbyeAt }
  call.session = { ...call.session, ...both, state: 'final', durationSeconds, allocations: [allocation] }
}

function servers(now: number, calls: readonly Call[]): LiveSnapshot['servers'] {
  return names.map((name, i) => ({
    kind: 'coturn',
    name,
    version: i === 2 ? '4.6.1' : '4.17.1',
    connected: true,
    connections: 6,
    boot: i === 2 ? 3 : 1,
    lastEventAt: iso(now - i * 700),
    allocations: calls.filter((call) => isOpen(call) && call.session.servers[0] === name).length,
    malformed: 0,
    gapsToday: i === 2 ? 1 : 0,
    shared: false,
  }))
}

/** An hour that led to these rates. */
function pastOf(rates: LiveSession['rates'], chance: () => number): LiveSession['rates'][] {
  const count = HOUR_MS / STEP_MS
  return Array.from({ length: count }, (_, i) => {
    const swell = 0.72 + 0.28 * (i / count) + 0.1 * Math.sin(i / 37) + 0.05 * Math.sin(i / 9)
    const then = {
      receivedBitsPerSecond: rates.receivedBitsPerSecond * swell,
      sentBitsPerSecond: rates.sentBitsPerSecond * (swell + 0.06 * Math.sin(i / 23)),
    }
    return wobble(then, chance)
  })
}

/** The newer, the less of it has been reported. */
function chartOf(rates: readonly LiveSession['rates'][], until: number): Chart {
  const known = (i: number) => Math.min(1, ((rates.length - i - 0.5) * STEP_MS) / REPORTED_MS)
  const received = rates.map((one) => one.receivedBitsPerSecond)
  const sent = rates.map((one) => one.sentBitsPerSecond)
  return {
    from: iso(until - rates.length * STEP_MS),
    stepSeconds: STEP_MS / 1000,
    received: received.map((one, i) => one * known(i)),
    sent: sent.map((one, i) => one * known(i)),
    receivedAwaited: received.map((one, i) => one * (1 - known(i))),
    sentAwaited: sent.map((one, i) => one * (1 - known(i))),
  }
}

function wobble(rates: LiveSession['rates'], chance: () => number): LiveSession['rates'] {
  const some = (value: number) => Math.round(value * (0.97 + 0.06 * chance()))
  return {
    receivedBitsPerSecond: some(rates.receivedBitsPerSecond),
    sentBitsPerSecond: some(rates.sentBitsPerSecond),
  }
}

/** Usage that adds up to the session's counters, in buckets of 5 minutes. */
export function timelineOf(session: Session, now: number) {
  const from = Math.floor(Date.parse(session.startedAt!) / BUCKET_MS) * BUCKET_MS
  const to = session.endedAt === null ? now : Date.parse(session.endedAt)
  const buckets = Math.max(1, Math.ceil((to - from) / BUCKET_MS))
  // Never falling: the wave is less steep than the line it is added to.
  const upTo = (n: number) => (n === buckets ? 1 : (n + 0.4 * Math.sin(n * 1.7)) / buckets)
  return Array.from({ length: buckets }, (_, i) => {
    const share = (value: number) => Math.floor(value * upTo(i + 1)) - Math.floor(value * upTo(i))
    const { receivedBytes, receivedPackets, sentBytes, sentPackets } = session.client
    return {
      at: iso(from + i * BUCKET_MS),
      allocation: session.allocations[0]!.id,
      side: 'client' as const,
      late: false,
      counters: {
        receivedBytes: share(receivedBytes),
        receivedPackets: share(receivedPackets),
        sentBytes: share(sentBytes),
        sentPackets: share(sentPackets),
      },
    }
  })
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

/** mulberry32: the same seed gives the same numbers. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
