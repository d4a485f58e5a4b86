/** Rule R25 for one allocation that was heard in full, from its own events alone. */
import type { CountEvent, ModelEvent } from './events.ts'

const countsOf = ({ n }: CountEvent) => n[0] + n[2]

/** Until when it relayed: at most to the goodbye, else to the close. */
export function relayOf(own: readonly ModelEvent[]): number | null {
  const goodbye = own.find((event) => event.kind === 'refreshed' && event.lifetime === 0)
  const end = goodbye ?? own.find((event) => event.kind === 'deleted')
  let from = own[0]!.t
  let to: number | null = null
  let perMs = 0
  for (const [i, event] of own.entries()) {
    if (event.kind !== 'traffic' || event.t === null || from === null) continue
    const next = own[i + 1]
    const client = countsOf(event)
    const isFull = next?.kind === 'traffic/peer' ? client + countsOf(next) === 4096 : client === 2048
    if (isFull) {
      to = event.t
      perMs = client / (event.t - from)
    } else if (to !== null && perMs > 0) to = Math.min(from + client / perMs, event.t)
    from = event.t
  }
  return to === null || end?.t == null ? null : Math.min(to, end.t)
}
