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
export { compare } from './compare.ts'
export type { Io } from './io.ts'
