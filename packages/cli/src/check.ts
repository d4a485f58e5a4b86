/** One thing that was looked at, and how it is said. */
import { printable, wrap } from '@fettle/report'

export type Level = 'ok' | 'warning' | 'problem'

export interface Check {
  /** Stable, for programs. */
  readonly code: string
  readonly level: Level
  /** What was seen. May hold names from outside: it is escaped when it is shown. */
  readonly text: string
  /** What to do; lines. */
  readonly remedy?: readonly string[]
}

export const ok = (code: string, text: string): Check => ({ code, level: 'ok', text })
export const warning = (code: string, text: string, ...remedy: string[]): Check => ({
  code,
  level: 'warning',
  text,
  remedy,
})
export const problem = (code: string, text: string, ...remedy: string[]): Check => ({
  code,
  level: 'problem',
  text,
  remedy,
})

const INDENT = 9

/** The level, the text, and indented what to do, in lines of at most `width` as far as their words allow. */
export function checkText({ level, text, remedy = [] }: Check, width: number): string {
  const lines = [
    ...wrap(printable(text), width - INDENT),
    ...remedy.flatMap((line) => wrap(printable(line), width - INDENT - 2).map((part) => `  ${part}`)),
  ]
  return lines.map((line, i) => `${(i === 0 ? level : '').padEnd(INDENT)}${line}\n`).join('')
}
