/** TCP wrappers: rules that decide by the name of a client, before sshd says its first line (hosts_access(5)). */
import { isHostName } from './config.ts'

export interface WrapperRule {
  readonly file: string
  readonly line: number
}

/** Words that stand for what needs a name. */
const NAMED = /^(?:KNOWN|UNKNOWN|PARANOID)$/
const PLAIN = /^(?:ALL|LOCAL|EXCEPT)$/

/** The rules for sshd that need the name of a client. */
export function wrapperRules(file: string, text: string): WrapperRule[] {
  const rules: WrapperRule[] = []
  let whole = ''
  for (const [i, raw] of text.split('\n').entries()) {
    whole += raw.endsWith('\\') ? raw.slice(0, -1) : raw
    if (raw.endsWith('\\')) continue
    if (!whole.trimStart().startsWith('#') && needsName(whole)) rules.push({ file, line: i + 1 })
    whole = ''
  }
  return rules
}

function needsName(rule: string): boolean {
  const [daemons = '', ...rest] = rule.split(':')
  if (!/(?:^|[\s,])(?:sshd|ALL)(?:[\s,@]|$)/.test(daemons)) return false
  // An address of IPv6 stands in brackets, and holds colons as well.
  const clients = rest.join(':').replaceAll(/\[[^\]]*\](?:\/\d+)?/g, '')
  return (clients.split(':')[0] ?? '')
    .split(/[\s,]+/)
    .some((one) => NAMED.test(one) || (!PLAIN.test(one) && !one.startsWith('/') && isHostName(one.replace(/^.*@/, ''))))
}
