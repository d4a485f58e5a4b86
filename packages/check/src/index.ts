/** How one looks: what all commands have in common. */

export { type AnswerOptions, answer, readAnswerOptions, reportFlags } from './answer.ts'
export { type Borrowed, borrow, borrowedFrom, type Left } from './borrowed.ts'
export {
  type ChangeOptions,
  changeFlags,
  changing,
  type Hand,
  type Plan,
  readChangeOptions,
} from './change.ts'
export {
  type Argument,
  type Command,
  EXIT,
  type Flag,
  type Given,
  type Outcome,
  type Status,
  Unseen,
} from './command.ts'
export { compare } from './compare.ts'
export { type Check, diagnosis, lookAt, type Probe } from './diagnosis.ts'
export { defaultData, type Io, type Screen, type ScreenLine } from './io.ts'
export type { Item } from './journal.ts'
export { readPasted } from './pasted.ts'
export { type Kept, type KeptPage, KeptReports, REPORT_NAME, saveReport } from './saved.ts'
export { makeWithParents, writeWhole } from './whole.ts'
