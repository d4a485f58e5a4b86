/** Who asks for what, as a table; and whose calls they are that were found to be heavy. */
import { type Cell, type Finding, type Quantity, quantityText, type Table } from '@fettle/report'
import type { Use, UseRow } from '../use/use.ts'

const ROWS_MAX = 20

export function useTable(use: Use | undefined): Table[] {
  if (use === undefined) return []
  const columns = [
    { name: 'command', title: 'COMMAND' },
    { name: 'keys', title: 'KEYS', flexible: true as const },
    { name: 'client', title: 'CLIENT' },
    { name: 'executing', title: 'EXECUTING' },
    { name: 'calls', title: 'CALLS' },
  ]
  const rows = use.rows
    .slice(0, ROWS_MAX)
    .map(({ command, pattern, client, executing, calls }): Cell[] => [
      command,
      pattern,
      client,
      shareOf(executing),
      shareOf(calls),
    ])
  const title = `Who asks for what: ${use.seen} commands seen in ${use.windows} windows`
  return [{ name: 'use', title, columns, rows }]
}

function shareOf({ value, low, high }: UseRow['calls']): Quantity {
  return low === high ? { value, unit: 'share' } : { value, unit: 'share', low, high }
}

const WHO_MAX = 3

/** Adds to what was found of a command as a whole who calls it, and with which keys. */
export function withCallers(findings: readonly Finding[], use: Use | undefined): Finding[] {
  if (use === undefined) return [...findings]
  return findings.map((finding) => {
    const rows = use.rows.filter(({ command, client }) => command.toUpperCase() === finding.subject && client !== '')
    const evidence = rows.slice(0, WHO_MAX).map(({ command, pattern, client, executing }) => ({
      source: 'sampled',
      text:
        `${command.toUpperCase()} ${pattern} from ${client}: ` +
        `${quantityText(shareOf(executing))} of the time spent on executing`,
    }))
    return { ...finding, evidence: [...finding.evidence, ...evidence] }
  })
}
