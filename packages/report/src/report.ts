/** What was found: the one kind of answer that every tool gives, as data. */
import type { Quantity } from './quantity.ts'

/** Something that is worth a person's time. */
export interface Finding {
  /** Stable, for programs and for comparing: `TOOL.what`. */
  readonly code: `${string}.${string}`
  /** `fault`: it costs something now; `warning`: it will, or may; `note`: said so that nobody looks there. */
  readonly severity: 'fault' | 'warning' | 'note'
  /** What it is about, such as a command or a file; may come from outside and is escaped when it is shown. */
  readonly subject: string
  /** One sentence: what is the case. */
  readonly says: string
  /** Why; one or two sentences. */
  readonly cause?: string
  /** How sure the cause is: it was measured, it fits best, or it cannot be excluded. */
  readonly confidence: 'measured' | 'likely' | 'possible'
  readonly quantities: Readonly<Record<string, Quantity>>
  readonly evidence: readonly Evidence[]
  /** What to do, a line each; what a line changes can be undone by `undo`. */
  readonly remedy: readonly string[]
  readonly undo?: string
}

/** What was seen, in the words of who said it. */
export interface Evidence {
  /** Where it stands: `INFO`, `SLOWLOG GET`, `line 17 of log.txt`. */
  readonly source: string
  readonly text: string
}

/** A number that is measured each time, so that two reports can be compared by its name. */
export interface Measure {
  readonly name: string
  /** As people read it: `CPU per command`. */
  readonly title: string
  readonly quantity: Quantity
  /** Which way is better; left out: neither. */
  readonly better?: 'less' | 'more'
}

/** Rows for people, and for programs by their columns' names. */
export interface Table {
  readonly name: string
  readonly title: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly Cell[])[]
}

export interface Column {
  readonly name: string
  readonly title: string
  /** This one gives way when the terminal is narrow. */
  readonly flexible?: true
}

export type Cell = string | Quantity | null

/** What could not be looked at, and why. */
export interface Unseen {
  readonly what: string
  readonly why: string
}

/** What was judged of all that was seen. */
export interface Judgement {
  readonly measures: readonly Measure[]
  readonly tables: readonly Table[]
  readonly findings: readonly Finding[]
  readonly unseen: readonly Unseen[]
}

export interface Report extends Judgement {
  readonly schema: 'fettle.report/1'
  /** The command: `redis check`. */
  readonly tool: string
  /** What was looked at: a host, files. */
  readonly subject: string
  /** ISO 8601; null: what was looked at does not say. */
  readonly at: string | null
  /** For how long one looked; null: what was looked at does not say. */
  readonly seconds: number | null
}

/** Whether there is anything to do. */
export function isClean({ findings }: Judgement): boolean {
  return findings.every(({ severity }) => severity === 'note')
}

/** The plainest finding: something that is said, and nothing more. */
export function note(code: Finding['code'], subject: string, says: string): Finding {
  return { code, severity: 'note', subject, says, confidence: 'measured', quantities: {}, evidence: [], remedy: [] }
}

/** `looked`: from when to when, in milliseconds since the epoch; null: it was pasted, and nobody knows. */
export function reportOf(
  tool: string,
  subject: string,
  looked: { readonly began: number; readonly ended: number } | null,
  judgement: Judgement,
): Report {
  return {
    schema: 'fettle.report/1',
    tool,
    subject,
    at: looked === null ? null : new Date(looked.began).toISOString(),
    seconds: looked === null ? null : (looked.ended - looked.began) / 1000,
    ...judgement,
  }
}
