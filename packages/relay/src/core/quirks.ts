/** Known faults of coturn's counters, each with its source (rule R18). */

/** What tells whether a fault applies: the version, if the operator gave it, and what was counted. */
export interface Evidence {
  /** coturn's version, such as `4.17.1`; null when unknown. */
  readonly version: string | null
  readonly peerSentPackets: number
}

export interface Quirk {
  readonly code: string
  /** What is wrong, in one sentence. */
  readonly says: string
  readonly source: string
}

/** Faults that stay in the numbers. (Faults corrected in the numbers are rule R6's 32-bit peer totals.) */
export const quirks = [
  {
    code: 'peer-sent-bytes-plus-4',
    says: 'peer sentBytes may hold 4 bytes too many for each ChannelData packet, at most 4 x sentPackets',
    source: 'coturn 4.11.0, commit 4b97d032 (#1893): the size is taken before the ChannelData header is stripped',
  },
] as const satisfies readonly Quirk[]

/** The codes that apply. With an unknown version a fault is named, since it cannot be excluded. */
export function quirksOf(evidence: Evidence): string[] {
  const { version, peerSentPackets } = evidence
  const applies = peerSentPackets > 0 && (version === null || atLeast(version, 4, 11))
  return applies ? [quirks[0].code] : []
}

function atLeast(version: string, major: number, minor: number): boolean {
  const [a = 0, b = 0] = version.split('.').map(Number)
  return a > major || (a === major && b >= minor)
}
