/** A few files out of a huge archive. */

export { zipCat } from './cat.ts'
export { zipCheck } from './check.ts'
export { Damaged } from './core/damaged.ts'
export { Refused } from './core/refused.ts'
export { contentOf, contentStream, prepare } from './decode/content.ts'
export type { AesField, Secret, Stored } from './decode/stored.ts'
export { zipExtract } from './extract.ts'
export { zipList } from './list.ts'
