/**
 * Whether two coturns report under one server's name: one line was pasted into both. Boots are kept apart by
 * connection, but one that is opened anew joins the current boot, so that their allocations can be confused.
 */

/** Who does not speak for so long is not at work. */
const ACTIVE_MS = 60_000
/** What a connection had sent before it was replaced may be read a little after the first of its successor. */
const OVERLAP_MS = 5000
/** So long the connections of a former boot may go on beside the next one. */
const HANDOVER_MS = 30_000
const PEERS_MAX = 16

/** A connection of coturn. */
export interface Speaker {
  /** Its address. */
  readonly peer: string
}

interface Voice {
  readonly peer: string
  readonly boot: number
  readonly firstAt: number
  lastAt: number
}

export class Sharing {
  readonly #voices = new Map<Speaker, Voice>()
  /** The newest boot, and when it spoke first. */
  #newest = { boot: 0, at: 0 }

  /** It has sent something that belongs to this boot. */
  speaks(speaker: Speaker, boot: number, at: number): void {
    const voice = this.#voices.get(speaker)
    if (boot > this.#newest.boot) this.#newest = { boot, at }
    if (voice?.boot === boot) voice.lastAt = at
    else this.#voices.set(speaker, { peer: speaker.peer, boot, firstAt: at, lastAt: at })
  }

  closed(speaker: Speaker): void {
    this.#voices.delete(speaker)
  }

  /** The addresses of those that share the name now; empty: nobody does. */
  peers(now: number): readonly string[] {
    const active = Array.from(this.#voices.values()).filter(({ lastAt }) => now - lastAt <= ACTIVE_MS)
    const isShared = overlaps(active) || this.#outlives(active)
    return isShared ? Array.from(new Set(active.map(({ peer }) => peer))).slice(0, PEERS_MAX) : []
  }

  /** A former boot goes on beside the newest one. */
  #outlives(voices: readonly Voice[]): boolean {
    const { boot, at } = this.#newest
    if (!voices.some((voice) => voice.boot === boot)) return false
    return voices.some((voice) => voice.boot < boot && voice.lastAt - at > HANDOVER_MS)
  }
}

/** Two addresses have spoken at the same time, not one after the other as when a coturn moves. */
function overlaps(voices: readonly Voice[]): boolean {
  const spans = new Map<string, { firstAt: number; lastAt: number }>()
  for (const { peer, firstAt, lastAt } of voices) {
    const span = spans.get(peer)
    spans.set(peer, {
      firstAt: Math.min(firstAt, span?.firstAt ?? firstAt),
      lastAt: Math.max(lastAt, span?.lastAt ?? lastAt),
    })
  }
  let latest = Number.NEGATIVE_INFINITY
  for (const { firstAt, lastAt } of Array.from(spans.values()).sort((a, b) => a.firstAt - b.firstAt)) {
    if (Math.min(latest, lastAt) - firstAt >= OVERLAP_MS) return true
    latest = Math.max(latest, lastAt)
  }
  return false
}
