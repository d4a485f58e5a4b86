/** Rules R19 to R23 by the letter: a session is a list of accounts, and all that is asked is looked up in them. */
import type { Account } from './account.ts'

export interface ModelSession {
  readonly key: string
  readonly members: Set<Account>
  settledAt: number | null
  revision: number
  /** Allocations that it lost to a later one. */
  left: number
}

/** Rule R19, the default template: what follows the first `:` is the device. */
export function keyOf(realm: string, username: string): string {
  const colon = username.indexOf(':')
  return JSON.stringify(colon < 0 ? [realm, 'whole', username] : [realm, 'device', username.slice(colon + 1)])
}

export class Sessions {
  readonly all: ModelSession[] = []
  readonly #lingerMs: number

  constructor(lingerMs: number) {
    this.#lingerMs = lingerMs
  }

  /** The account opens. */
  opened(account: Account, now: number | null): void {
    this.#label(account, this.#accepting(account, now))
  }

  /**
   * The account has begun to carry. While nothing in its session has carried, it counted there all the while and stays;
   * else the key's session takes it that accepts now. What a final session holds or loses by that revises it.
   */
  carrying(account: Account, now: number | null): void {
    const own = this.all[account.session!]!
    const stays = ![...own.members].some((one) => one.carries && one !== account)
    const wasFinal = this.#isFinal(own, now)
    if (!stays) this.#label(account, this.#accepting(account, now))
    if (wasFinal) own.revision++
  }

  /** Called before the account is closed, and for what comes late: it changes the session, which may be final (R23). */
  changed(account: Account, now: number | null): void {
    const session = this.all[account.session!]!
    if (this.#isFinal(session, now)) session.revision++
  }

  settle(now: number | null): void {
    for (const session of this.all) this.#isFinal(session, now)
  }

  #accepting(account: Account, now: number | null): ModelSession {
    const key = keyOf(account.realm, account.username)
    const last = this.all.filter((one) => one.key === key).at(-1)
    if (last !== undefined && !this.#isFinal(last, now)) return last
    const session: ModelSession = { key, members: new Set(), settledAt: null, revision: 0, left: 0 }
    this.all.push(session)
    return session
  }

  #label(account: Account, session: ModelSession): void {
    const former = account.session === null ? session : this.all[account.session]!
    former.members.delete(account)
    session.members.add(account)
    if (former !== session) former.left++
    account.session = this.all.indexOf(session)
  }

  /** Rule R21. What is final stays final. */
  #isFinal(session: ModelSession, now: number | null): boolean {
    if (session.settledAt !== null) return true
    const members = [...session.members]
    const carriers = members.filter((one) => one.carries)
    const counting = carriers.length > 0 ? carriers : members
    if (now === null || counting.some((one) => one.ended === 'open' || one.closedAt === null)) return false
    const until = Math.max(...counting.map((one) => one.closedAt!)) + this.#lingerMs
    if (now <= until) return false
    session.settledAt = until
    return true
  }
}
