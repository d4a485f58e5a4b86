/** A few files out of a huge archive: the commands. */

export { zipCat } from './cat.ts'
export { zipCheck } from './check.ts'
export { zipExtract } from './extract.ts'
export { zipList } from './list.ts'
