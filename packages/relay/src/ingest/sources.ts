/** Several sources as one. */
import type { Source } from './source.ts'

/** They begin in this order and end in the other. */
export function combined(sources: readonly Source[]): Source {
  return {
    claims: sources.flatMap(({ claims }) => claims),
    async start(streams, sink) {
      let from = 0
      for (const source of sources) {
        const to = from + source.claims.length
        await source.start(streams.slice(from, to), sink)
        from = to
      }
    },
    async stop() {
      for (const source of sources.toReversed()) await source.stop()
    },
  }
}
