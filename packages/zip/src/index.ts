/** A few files out of a huge archive. */

export { openArchive } from './archive.ts'
export { Damaged } from './core/damaged.ts'
export { dataStart, disagreement } from './core/local.ts'
export { openFile } from './source/file.ts'
export { compileGlob, escapeGlob, foldCase, type Glob, type GlobOptions } from './core/glob.ts'
export { type Near, NearNames, type NearReason, nearWords } from './core/near.ts'
export { namesIn, type Prefilter, type Selection, type SelectionOptions, selection } from './core/select.ts'
export { type Refusal, Refused } from './core/refused.ts'
export { contentOf, contentStream, prepare } from './decode/content.ts'
export type { AesField, Secret, Stored } from './decode/stored.ts'
export type { Cost, Pace, Source } from './source/source.ts'
