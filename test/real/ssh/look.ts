/** A lab, looked at by `fettle ssh check`. */
import assert from 'node:assert/strict'
import type { Finding, Report } from '@fettle/report'
import { HOST, type Lab } from './lab.ts'
import type { Ran } from './machine.ts'
import type { Plant } from './plants.ts'

export interface Looked extends Ran {
  readonly report: Report
}

export const isWork = ({ severity }: Finding): boolean => severity !== 'note'

/** For a failing test: everything that was found, in a line each. */
export const told = (report: Report): string[] =>
  report.findings.map(({ severity, code, quantities, cause }) => {
    const wait = quantities.wait?.value.toFixed(2) ?? '-'
    return `${severity} ${code} ${wait}: ${cause}`
  })

/** One login of each kind tells as much of waits that are long, or many. */
const LONG_SECONDS = 2.5
/** When no more is waited for where a login never ends. */
const LIMIT_SECONDS = 6

export async function look(lab: Lab, planted: readonly Plant[]): Promise<Looked> {
  const seconds = planted.reduce((sum, { found }) => sum + found.seconds, 0)
  const limit = seconds === Infinity ? ['--limit', `${LIMIT_SECONDS}`] : []
  const logins = ['--logins', seconds > LONG_SECONDS ? '1' : '2']
  const password = planted.find((plant) => plant.password !== undefined)?.password
  return await reported(lab, [HOST, ...limit, ...logins], password)
}

/** `password`: what is typed when it is asked for. */
export async function reported(lab: Lab, words: readonly string[], password?: string): Promise<Looked> {
  const args = ['ssh', 'check', ...words, '--json']
  const ran = await (password === undefined
    ? lab.fettle(args)
    : lab.fettleAtTerminal([...args, '--password'], `${password}\n`))
  assert.ok(ran.output.startsWith('{'), `${ran.status}: ${ran.output}${ran.complaints}`)
  return { ...ran, report: JSON.parse(ran.output) as Report }
}
