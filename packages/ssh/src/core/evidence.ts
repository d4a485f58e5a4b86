/** Lines of the log as they are shown. */
import type { Evidence } from '@fettle/report'
import type { Line } from './log.ts'
import type { Gap } from './phase.ts'

/** What runs, here or on the other side, and what it is given may hold what is nobody's business. */
const HIDDEN: readonly RegExp[] = [
  /^(Sending \w+|channel \d+: setting env|Setting (?:implicit|env) \w+|Starting session)\b.*/,
  /^(Executing (?:\w+ )*(?:command|\/\S+ -c))\b.*/,
  /^((?:subprocess|checking match|(?:not )?matched)\b.*?\b(?:exec|command)) ["'].*/,
]
const hidden = (text: string) => HIDDEN.reduce((rest, pattern) => rest.replace(pattern, '$1: (not shown)'), text)
const TEXT_MAX = 100

/** The line as ssh wrote it, without what a report need not keep. */
export function lineText({ text, level, isOutput }: Line): string {
  if (isOutput) return '(output)'
  const shown = hidden(text)
  const whole = level === 0 ? shown : `debug${level}: ${shown}`
  return whole.length > TEXT_MAX ? `${whole.slice(0, TEXT_MAX)}...` : whole
}

const STAMPED = /^( *\S+ (?:ERR|OUT) )(debug\d: )?(.*)$/

/** By then what is no line of ssh is of what runs there, but for the last words of ssh itself. */
const IN = /^(?:receive packet: type 52$|Authentication succeeded|Authenticated to )/
const LAST_WORDS = /^(?:Connection to \S+ closed|Transferred: |Bytes per second: |fettle: )/

/** A whole log as `runSsh` makes it, without what need not be kept. */
export function keptLog(text: string): string {
  let isIn = false
  const kept = text.split('\n').map((line) => {
    const [, stamp = '', level = '', rest = ''] = STAMPED.exec(line) ?? []
    isIn ||= level !== '' && IN.test(rest)
    const isOutput = stamp.endsWith('OUT ') || (isIn && level === '' && !LAST_WORDS.test(rest))
    return stamp + level + (isOutput ? '(output)' : hidden(rest))
  })
  return `${kept.join('\n')}\n`
}

export const lineEvidence = (line: Line): Evidence => ({
  source: line.us === null ? `line ${line.number}` : `line ${line.number}, ${(line.us / 1e6).toFixed(3)} s`,
  text: lineText(line),
})

/** The line after which nothing came, and the one that came then. */
export const gapEvidence = ({ from, to }: Gap): Evidence[] => [from, to].map(lineEvidence)
