/** A few files out of a huge archive. */

export { Damaged } from './core/damaged.ts'
export type { Cost, Pace, Source } from './source/source.ts'
