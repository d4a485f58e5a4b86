/** What commands that change something have in common: a door of its own, which only they pay for. */

export { type Borrowed, borrow, borrowedFrom, type Left } from './borrowed.ts'
export { type ChangeOptions, changeFlags, changing, type Hand, type Plan, readChangeOptions } from './change.ts'
export type { Item } from './journal.ts'
