/** What bash tells of each line that it runs (set -x), and how long each took. */

/** What marks the beginning of each told line: `PS4`, with letters that stand in no command by accident. */
export const PS4 = '+\u0001${EPOCHREALTIME-}\u0002${BASH_SOURCE-}\u0002${LINENO-}\u0003'

export interface TracedLine {
  readonly file: string
  readonly line: number
  readonly seconds: number
  /** How often it was run. */
  readonly times: number
}

/** A piece of the trace, and when it came. */
export interface Piece {
  readonly at: number
  readonly text: string
}

interface Step {
  readonly at: number
  readonly file: string
  readonly line: number
}

const STEPS_MAX = 200_000
const [BEGIN, THEN, END] = ['\u0001', '\u0002', '\u0003']
const MARK = new RegExp(`^\\++${BEGIN}([\\d.,]*)${THEN}([^${THEN}]*)${THEN}(\\d+)${END}`)

/** A line takes until the next is told, the last one until `end`; the longest first. `own`: files that are ours. */
export function readTrace(pieces: readonly Piece[], end: number, own: ReadonlySet<string>): TracedLine[] {
  const steps = stepsOf(pieces)
  const lines = new Map<string, TracedLine>()
  for (const [i, step] of steps.entries()) {
    if (own.has(step.file)) continue
    const seconds = Math.max(0, (steps[i + 1]?.at ?? end) - step.at)
    const key = `${step.file}:${step.line}`
    const before = lines.get(key)
    const sum = { seconds: (before?.seconds ?? 0) + seconds, times: (before?.times ?? 0) + 1 }
    lines.set(key, { file: step.file, line: step.line, ...sum })
  }
  return Array.from(lines.values()).sort((a, b) => b.seconds - a.seconds)
}

/** Bash older than 5 does not tell the time: then it is when the piece came. */
function stepsOf(pieces: readonly Piece[]): Step[] {
  const steps: Step[] = []
  let rest = ''
  for (const { at, text } of pieces) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [, told = '', file = '', number] = MARK.exec(line) ?? []
      if (number === undefined || file === '' || steps.length >= STEPS_MAX) continue
      const epoch = Number(told.replace(',', '.'))
      steps.push({ at: told === '' || Number.isNaN(epoch) ? at : epoch, file, line: Number(number) })
    }
  }
  return steps
}
