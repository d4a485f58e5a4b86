/** Lines of the log as they are shown. */
import type { Evidence } from '@fettle/report'
import type { Line } from './log.ts'
import type { Gap } from './phase.ts'

/** What runs on the other side, and what it writes, may hold what is nobody's business. */
const COMMAND =
  /^(Sending \w+|channel \d+: setting env|Executing (?:\w+ )*command|Setting implicit \w+|Starting session)\b.*/
const TEXT_MAX = 100

/** The line as ssh wrote it, without what a report need not keep. */
export function lineText({ text, level, isOutput }: Line): string {
  if (isOutput) return '(output)'
  const shown = text.replace(COMMAND, '$1: (not shown)')
  const whole = level === 0 ? shown : `debug${level}: ${shown}`
  return whole.length > TEXT_MAX ? `${whole.slice(0, TEXT_MAX)}...` : whole
}

const STAMPED = /^( *\S+ (?:ERR|OUT) )(debug\d: )?(.*)$/

/** A whole log as `runSsh` makes it, without what need not be kept. */
export function keptLog(text: string): string {
  const kept = text.split('\n').map((line) => {
    const [, stamp = '', level = '', rest = ''] = STAMPED.exec(line) ?? []
    return stamp + level + (stamp.endsWith('OUT ') ? '(output)' : rest.replace(COMMAND, '$1: (not shown)'))
  })
  return `${kept.join('\n')}\n`
}

export const lineEvidence = (line: Line): Evidence => ({
  source: line.us === null ? `line ${line.number}` : `line ${line.number}, ${(line.us / 1e6).toFixed(3)} s`,
  text: lineText(line),
})

/** The line after which nothing came, and the one that came then. */
export const gapEvidence = ({ from, to }: Gap): Evidence[] => [from, to].map(lineEvidence)
