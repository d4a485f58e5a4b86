/** A few files out of a huge archive. */

export { openArchive } from './archive.ts'
export { Damaged } from './core/damaged.ts'
export { dataStart, disagreement } from './core/local.ts'
export { openFile } from './source/file.ts'
export type { Cost, Pace, Source } from './source/source.ts'
