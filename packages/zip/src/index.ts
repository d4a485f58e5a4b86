/** A few files out of a huge archive. */

export { ALIKE_MAX, type Collisions, collisionsOf, type Names, type Pairs } from './core/collisions.ts'
export { Damaged } from './core/damaged.ts'
export { type Detected, detectEncoding, type Hint } from './core/detect.ts'
export { type Decoder, decoderOf, type Encoding, encodingNamed } from './core/encoding.ts'
export { compileGlob, escapeGlob, foldCase, type Glob, type GlobOptions } from './core/glob.ts'
export { type Near, NearNames, type NearReason, nearWords } from './core/near.ts'
export { namesIn, type Prefilter, type Selection, type SelectionOptions, selection } from './core/select.ts'
export { judgeLink, type LinkRefusal, type LinkVerdict, linkRefusalWords } from './core/symlink.ts'
export {
  type NameOddity,
  oddityWords,
  type Refusal,
  refusalWords,
  type Target,
  type TargetOptions,
  targetOf,
} from './core/target.ts'
export type { Cost, Pace, Source } from './source/source.ts'
