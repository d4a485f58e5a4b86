/** How much is known of an allocation (rules R16, R17). */
import { Flag } from './table.ts'

export type Quality = 'exact' | 'lower_bound' | 'reconstructed' | 'ambiguous'

const PEER_SIDE = Flag.peer | Flag.peerExpected

/** From the row's flags; an allocation that is still open is a lower bound. */
export function qualityOf(flags: number): Quality {
  if ((flags & Flag.ambiguous) !== 0) return 'ambiguous'
  const peerKnown = (flags & PEER_SIDE) === 0 || (flags & Flag.peerTotal) !== 0
  if ((flags & Flag.clientTotal) === 0 || !peerKnown) return 'lower_bound'
  return (flags & Flag.reconstructed) === 0 ? 'exact' : 'reconstructed'
}

/** Nothing is missing from such a record. */
export function isWhole(quality: Quality): boolean {
  return quality === 'exact' || quality === 'reconstructed'
}

/**
 * Packet counts that can be missing at most: coturn reports at every 4096th count of both sides (2048th of the client's
 * alone before 4.5.2), so one less can be unreported; null when a gap, or a missed start, lets no bound be given.
 */
export function missingCounts(flags: number, reported: boolean): number | null {
  if (isWhole(qualityOf(flags))) return 0
  if ((flags & (Flag.gap | Flag.ambiguous)) !== 0 || (flags & Flag.fromStart) === 0) return null
  // Before its first report nothing tells an old coturn from a new one.
  return reported && (flags & PEER_SIDE) === 0 ? 2047 : 4095
}

const ranks: readonly Quality[] = ['exact', 'reconstructed', 'lower_bound', 'ambiguous']

/** The worst of several. */
export function worst(qualities: readonly Quality[]): Quality {
  return ranks[Math.max(0, ...qualities.map((quality) => ranks.indexOf(quality)))]!
}
