/** What the commands are made of: archives behind HTTP, and content out of what is packed. */

export { Damaged } from './core/damaged.ts'
export { Refused } from './core/refused.ts'
export { contentOf, contentStream, prepare } from './decode/content.ts'
export type { Stored } from './decode/stored.ts'
export { type HttpOptions, openHttp } from './source/http.ts'
export type { Source } from './source/source.ts'
