/**
 * The meter a second time, from its rules in ../../README.md alone: plain objects, looked through from end to end for
 * every event. Slow, and easy to hold against the rules; nothing of the first one is used but the rules' numbers.
 *
 * Three things the rules leave open and both do alike: what falls due is done in the first whole second after (or when
 * its own path is heard again), in the order in which it fell due; that there is no peer side is known from the next
 * report, or at the end; what was held is counted as of its last report.
 */
import type { Rules } from '../../src/core/state.ts'
import {
  type Account,
  type Counted,
  countersOf,
  minus,
  newAccount,
  payload,
  plus,
  type Side,
  type UsageRow,
  usageOf,
  zero,
} from './account.ts'
import type { CountEvent, Four, GapEvent, ModelEvent, Path, PathEvent, StatusEvent } from './events.ts'
import { Sessions } from './sessions.ts'

export interface ModelRejected {
  readonly stream: number
  readonly realm: string | null
  readonly username: string | null
  allocations: number
  client: Four
  peer: Four
}

type ModelGap = Pick<GapEvent, 'stream' | 'began' | 'ended' | 'why'>

export class Reference {
  /** In the order in which they were first heard of; rejected ones too. */
  readonly accounts: Account[] = []
  readonly rejected: ModelRejected[] = []
  readonly gaps: ModelGap[] = []
  readonly sessions: Sessions
  readonly #rules: Rules
  /** Streams whose source tells servers and boots apart. */
  readonly #aware: ReadonlySet<number>
  /** Boots, as stream/boot, of which a peer event was heard. */
  readonly #peerBoots = new Set<string>()
  #now: number | null = null

  constructor(rules: Rules, lingerMs: number, aware: ReadonlySet<number>) {
    this.#rules = rules
    this.#aware = aware
    this.sessions = new Sessions(lingerMs)
  }

  hear(event: ModelEvent): void {
    if (event.t !== null && (this.#now === null || event.t > this.#now)) {
      this.#now = event.t
      this.#doDue()
    }
    if (event.kind === 'tick') return
    if (event.kind === 'gap') this.#gap(event)
    else if (event.kind === 'restarted') this.#restarted(event.stream, event.over)
    else this.#about(event)
  }

  /** Rule R27, at the end of a recording. */
  finish(): void {
    for (const account of this.#inMemory()) {
      if (account.state === 'held') this.#reject(account)
      else if (account.state === 'closing') this.#conclude(account)
      else if (account.state === 'open') this.#carryByClient(account)
    }
  }

  settle(): void {
    this.sessions.settle(this.#now)
  }

  usage(): UsageRow[] {
    const proved = this.accounts.filter((one) => one.state !== 'rejected')
    return proved.flatMap((one, i) => (one.state === 'held' ? [] : usageOf(one, i, this.#rules.bucketMs)))
  }

  #inMemory(): Account[] {
    return this.accounts.filter((one) => one.state !== 'gone' && one.state !== 'rejected')
  }

  // Time

  /** When the account may not stay as it is any more (rules R7, R10, R14, R15). */
  #deadline(account: Account): number {
    const { settleMs, holdMs, rememberMs, graceMs } = this.#rules
    const after = (t: number | null, ms: number) => (t === null ? Number.POSITIVE_INFINITY : t + ms)
    if (account.state === 'closing') return after(account.closedAt, settleMs)
    if (account.state === 'held') return after(account.heardAt, holdMs)
    if (account.state === 'expired') return after(account.closedAt, rememberMs)
    return after(lifetimeEnd(account), graceMs)
  }

  #doDue(): void {
    for (;;) {
      const now = this.#now!
      const due = this.#inMemory()
        .map((account) => ({ account, at: this.#deadline(account) }))
        .filter(({ at }) => (Math.floor(at / 1000) + 1) * 1000 <= now)
        .sort((a, b) => a.at - b.at)
      if (due.length === 0) return
      this.#lapse(due[0]!.account)
    }
  }

  #lapse(account: Account): void {
    if (account.state === 'closing') this.#conclude(account)
    else if (account.state === 'held') this.#reject(account)
    else if (account.state === 'expired') account.state = 'gone'
    else {
      this.#close(account, 'expired', lifetimeEnd(account))
      account.state = 'expired'
      this.#expectPeer(account)
    }
  }

  // Identity

  /** The account that the path names now, after what was due for it. */
  #find(path: Path): Account | undefined {
    const same = (one: Account) =>
      one.stream === path.stream &&
      one.boot === path.boot &&
      one.realm === path.realm &&
      one.username === path.username &&
      one.id === path.id
    for (;;) {
      const account = this.#inMemory().find(same)
      if (account === undefined || this.#now === null || this.#now <= this.#deadline(account)) return account
      this.#lapse(account)
    }
  }

  #create(path: Path): Account {
    const account = newAccount(path, this.#now)
    this.accounts.push(account)
    return account
  }

  #about(event: PathEvent): void {
    if (event.kind === 'new' || event.kind === 'refreshed') return this.#status(event)
    if (event.kind === 'traffic') return this.#report(event, 0)
    if (event.kind === 'traffic/peer') return this.#report(event, 1)
    const account = this.#find(event) ?? this.#create(event)
    this.#admit(account, false)
    if (account.state === 'open') {
      this.#close(account, 'deleted', this.#now)
      account.state = 'closing'
    }
    if (event.kind === 'total_traffic') this.#total(account, 0, event.n)
    if (event.kind === 'total_traffic/peer') this.#total(account, 1, event.n)
  }

  #status(event: StatusEvent): void {
    let account = this.#find(event)
    let ambiguous = false
    if (account !== undefined && account.state !== 'held') {
      const serverDiffers = differ(event.server, account.server)
      const newMissed = account.gapSinceStatus && differ(event.client, account.client)
      if (event.kind === 'new' || serverDiffers || newMissed) {
        ambiguous = serverDiffers && account.state === 'open' && !this.#aware.has(event.stream)
        account.ambiguous ||= ambiguous
        this.#endNow(account, 'superseded')
        account = undefined
      }
    }
    account ??= this.#create(event)
    account.ambiguous ||= ambiguous
    if (account.state === 'held' || account.state === 'open') this.#live(account, event)
  }

  /** The status of an allocation that lives. */
  #live(account: Account, event: StatusEvent): void {
    const now = this.#now
    this.#admit(account, event.kind === 'new')
    account.server = event.server ?? account.server
    account.client = event.client ?? account.client
    if (event.lifetime > 0) account.lifetime = event.lifetime
    else account.goodbyeAt = now
    account.expiresAt = now === null ? null : now + event.lifetime * 1000
    account.gapInLifetime = false
    account.gapSinceStatus = false
  }

  // Admission (rules R10 and R11)

  #admit(account: Account, isNew: boolean): void {
    if (account.state !== 'held') return
    account.state = 'open'
    if (isNew) {
      account.openedAt = this.#now
      account.fromStart = account.sides.every(({ sum }) => sum.every((one) => one === 0))
    }
    for (const counted of account.sides) countAsOfLast(counted)
    this.sessions.opened(account, this.#now)
    if (account.peerHeard) this.#carryIfOver(account, 1)
  }

  #hold(path: Path): Account {
    const held = this.accounts.filter((one) => one.state === 'held' && one.stream === path.stream)
    if (held.length >= this.#rules.heldMax) this.#reject(held[0]!)
    return this.#create(path)
  }

  #reject(account: Account): void {
    const { stream, realm, username } = account
    account.state = 'rejected'
    const own = this.rejected.filter((one) => one.stream === stream)
    const named = own.find((one) => one.realm === realm && one.username === username)
    const others = own.find((one) => one.username === null)
    const full = own.filter((one) => one.username !== null).length >= this.#rules.rejectedMax
    let one = named ?? (full ? others : undefined)
    if (one === undefined) {
      const name = full ? { realm: null, username: null } : { realm, username }
      one = { stream, ...name, allocations: 0, client: zero, peer: zero }
      this.rejected.push(one)
    }
    one.allocations++
    one.client = plus(one.client, account.sides[0].sum)
    one.peer = plus(one.peer, account.sides[1].sum)
  }

  // Counting (rules R5 to R9)

  #report(event: CountEvent, side: Side): void {
    const account = this.#find(event) ?? this.#hold(event)
    const counted = account.sides[side]
    // The total is final; a report that comes after it is in it.
    if (counted.total !== null) return
    const now = this.#now
    if (side === 0) this.#carryByClient(account)
    else this.#hearPeer(account)
    counted.sum = plus(counted.sum, event.n)
    if (account.state === 'expired') return this.#late(account, side, event.n)
    counted.history.push({ t: now, n: event.n })
    if (side === 1) this.#carryIfOver(account, 1)
    if (account.state === 'open') proveLife(account, now)
  }

  #total(account: Account, side: Side, heard: Four): void {
    const counted = account.sides[side]
    const before = countersOf(account, side)
    if (side === 1) this.#hearPeer(account)
    counted.total = side === 0 ? heard : wholePeerTotal(counted.sum, heard)
    if (side === 0 && before.some((known, k) => known > heard[k]!)) account.ambiguous = true
    const above = minus(counted.total, before)
    account.unheard[0] += Math.max(0, above[0]) + Math.max(0, above[2])
    account.unheard[1] += Math.max(0, above[1]) + Math.max(0, above[3])
    if (account.state === 'expired') {
      this.#late(account, side, above)
      if (side === 1) account.state = 'gone'
      return
    }
    if (above.some((one) => one !== 0)) counted.history.push({ t: this.#now, n: above })
    if (side === 0) return
    this.#carryIfOver(account, 1)
    this.#conclude(account)
  }

  #late(account: Account, side: Side, n: Four): void {
    this.sessions.changed(account, this.#now)
    account.sides[side].late.push({ t: this.#now, n })
  }

  #hearPeer(account: Account): void {
    account.peerHeard = true
    this.#peerBoots.add(`${account.stream}/${account.boot}`)
  }

  // Carrying (rule R20)

  #carryByClient(account: Account, closedAt = account.closedAt): void {
    const known = account.peerHeard || this.#peerBoots.has(`${account.stream}/${account.boot}`)
    if (!known) this.#carryIfOver(account, 0, closedAt)
  }

  /** What ended before it was known to carry carried at its end at the latest. */
  #carryIfOver(account: Account, side: Side, closedAt = account.closedAt): void {
    const can = account.state === 'open' || account.state === 'closing'
    if (!can || account.carries || payload(countersOf(account, side)) <= this.#rules.carryBytes) return
    this.sessions.carrying(account, this.#now)
    account.carries = true
    account.carrierAt = least(this.#now, closedAt)
  }

  // Ends (rules R2, R3, R7, R13 to R15)

  #close(account: Account, ended: 'deleted' | 'expired' | 'restarted' | 'superseded', t: number | null): void {
    this.#carryByClient(account, t)
    this.sessions.changed(account, this.#now)
    account.closedAt = t
    account.ended = ended
  }

  /** Nothing more is waited for. */
  #conclude(account: Account): void {
    this.#carryByClient(account)
    this.#expectPeer(account)
    account.state = 'gone'
  }

  #expectPeer(account: Account): void {
    account.peerExpected = this.#peerBoots.has(`${account.stream}/${account.boot}`)
  }

  #endNow(account: Account, ended: 'restarted' | 'superseded'): void {
    if (account.state === 'held') return this.#reject(account)
    if (account.state === 'open') this.#close(account, ended, this.#now)
    if (account.state !== 'expired') this.#conclude(account)
    account.state = 'gone'
  }

  #restarted(stream: number, over: number): void {
    const left = this.#inMemory().filter((one) => one.stream === stream && one.boot <= over)
    for (const account of left) this.#endNow(account, 'restarted')
  }

  #gap({ stream, began, ended, why }: GapEvent): void {
    this.gaps.push({ stream, began, ended, why })
    for (const account of this.#inMemory()) {
      if (account.stream !== stream) continue
      account.gapSinceStatus = true
      account.gapInLifetime = true
      proveLife(account, ended)
      // What has expired loses nothing in a gap that came after its end; a damaged line may be of any time (rule R40).
      if (account.state !== 'expired') account.gap = true
      else if (why === 'damage' || (began !== null && began < account.closedAt!)) {
        this.sessions.changed(account, this.#now)
        account.gap = true
      }
    }
  }
}

/** When the lifetime runs out; one more is waited when a gap has fallen into it and no goodbye was said (rule R14). */
function lifetimeEnd(account: Account): number | null {
  const { expiresAt, lifetime, gapInLifetime, goodbyeAt } = account
  const waits = gapInLifetime && goodbyeAt === null && lifetime !== null
  return expiresAt === null ? null : expiresAt + (waits ? lifetime * 1000 : 0)
}

/** Traffic after the lifetime ran out proves refreshes not heard (rule R14), unless the client said goodbye. */
function proveLife(account: Account, now: number | null): void {
  if (now === null || account.expiresAt === null || account.goodbyeAt !== null || account.lifetime === null) return
  while (now > account.expiresAt) account.expiresAt += account.lifetime * 1000
}

/** Rule R6. */
function wholePeerTotal(sum: Four, heard: Four): Four {
  const whole = (k: 0 | 1 | 2 | 3) => {
    let value = heard[k] % 2 ** 32
    while (value < sum[k]) value += 2 ** 32
    return value
  }
  return [whole(0), whole(1), whole(2), whole(3)]
}

function countAsOfLast(counted: Counted): void {
  const { t } = counted.history.at(-1)!
  counted.history = [{ t, n: zero }]
  if (counted.sum.some((one) => one !== 0)) counted.history.push({ t, n: counted.sum })
}

/** Two known addresses that are not the same. */
function differ(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a !== b
}

function least(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b)
}
