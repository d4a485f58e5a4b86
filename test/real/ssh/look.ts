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

/** When no more is waited for where a login never ends, and where one takes minutes. */
const [LIMIT_SECONDS, LONG_LIMIT_SECONDS] = [6, 300]
/** In one pair of logins a change proves nothing. */
const TRIED_LOGINS = 3

export async function look(lab: Lab, planted: readonly Plant[]): Promise<Looked> {
  const isEndless = planted.some(({ found }) => found.seconds === Infinity)
  const limit = isEndless ? LIMIT_SECONDS : LONG_LIMIT_SECONDS
  const isTried = planted.length === 1 && planted[0]!.proof === 'tried'
  const logins = isTried ? TRIED_LOGINS : 1
  const password = planted.find((plant) => plant.password !== undefined)?.password
  return await reported(lab, [HOST, '--limit', `${limit}`, '--logins', `${logins}`], password)
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
