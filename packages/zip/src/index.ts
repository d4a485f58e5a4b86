/** A few files out of a huge archive. */

export { type Damage, Damaged } from './core/damaged.ts'
export { type Refusal, Refused } from './core/refused.ts'
export { contentOf, contentStream, prepare, refusalOf } from './decode/content.ts'
export type { AesField, Secret, Stored } from './decode/stored.ts'
export { readHeaders } from './source/headers.ts'
export { type HttpOptions, openHttp } from './source/http.ts'
export type { Cost, Pace, Source } from './source/source.ts'
