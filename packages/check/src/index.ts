/** How one looks: what all commands have in common. */

export { type AnswerOptions, answer, readAnswerOptions, reportFlags } from './answer.ts'
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
export { type Check, diagnosis, lookAt, type Probe } from './diagnosis.ts'
export { defaultData, type Io, type Screen, type ScreenLine } from './io.ts'
export { type Kept, type KeptPage, KeptReports, REPORT_NAME, saveReport } from './saved.ts'
export { readSecret, readText } from './text.ts'
export { makeWithParents, writeWhole } from './whole.ts'
