/** What bash tells of each line that it runs (set -x) before somebody can type, and how long each took. */

/** What marks the beginning of each told line: letters that stand in no command by accident. */
export const PS4 = '+\u0001${EPOCHREALTIME-}\u0002${BASH_SOURCE-}\u0002${LINENO-}\u0003'

/** Each line is told on descriptor 3. */
const TOLD = `exec 2>/dev/null
PS4='${PS4}'
BASH_XTRACEFD=3
set -x
`

/** sshd runs one of these before any shell (sshd(8), SSHRC). */
const RC = '( if [ -r ~/.ssh/rc ]; then . ~/.ssh/rc; elif [ -r /etc/ssh/sshrc ]; then . /etc/ssh/sshrc; fi )\n'

/** What a login shell of bash reads: that of all, and one of three files of its user (bash(1), INVOCATION). */
const LOGIN = `if [ -r /etc/profile ]; then . /etc/profile; fi
if [ -r ~/.bash_profile ]; then . ~/.bash_profile
elif [ -r ~/.bash_login ]; then . ~/.bash_login
elif [ -r ~/.profile ]; then . ~/.profile
fi
`

/** For a command that sshd runs, bash reads these, where it was built to (SSH_SOURCE_BASHRC: Debian, Red Hat). */
const COMMAND = `if [ -r /etc/bash.bashrc ]; then . /etc/bash.bashrc; fi
if [ -r ~/.bashrc ]; then . ~/.bashrc; fi
`

/**
 * A script for bash that runs what is read before a login shell or a command begins, and tells each line of it;
 * `hasRc`: what sshd itself runs too (PermitUserRC).
 */
export const startScript = (of: 'login' | 'command', hasRc: boolean): string =>
  `${TOLD}${hasRc ? RC : ''}${of === 'login' ? LOGIN : COMMAND}exit 0\n`

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
  /** When it was heard of, by the clock of the pieces. */
  readonly heard: number
  readonly file: string
  readonly line: number
}

const STEPS_MAX = 200_000
const [BEGIN, THEN, END] = ['\u0001', '\u0002', '\u0003']
const MARK = new RegExp(`^\\++${BEGIN}([\\d.,]*)${THEN}([^${THEN}]*)${THEN}(\\d+)${END}`)

/**
 * When it ended, by the clock of the machine that bash runs on; `end` is by that of the pieces. Undefined: bash has
 * told nothing.
 */
export function endOfTrace(pieces: readonly Piece[], end: number): number | undefined {
  const last = stepsOf(pieces).at(-1)
  return last === undefined ? undefined : last.at + end - last.heard
}

/**
 * A line takes until the next is told, the last one until `end`; the longest first. `own`: files that are ours, as is
 * what stands in no file.
 */
export function readTrace(pieces: readonly Piece[], end: number, own: ReadonlySet<string>): TracedLine[] {
  const steps = stepsOf(pieces)
  const lines = new Map<string, TracedLine>()
  for (const [i, step] of steps.entries()) {
    if (step.file === '' || own.has(step.file)) continue
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
      if (number === undefined || steps.length >= STEPS_MAX) continue
      const epoch = Number(told.replace(',', '.'))
      steps.push({ at: told === '' || Number.isNaN(epoch) ? at : epoch, heard: at, file, line: Number(number) })
    }
  }
  return steps
}
