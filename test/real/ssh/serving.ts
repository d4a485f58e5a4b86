/** A lab's server, looked at and changed by fettle from the inside. */
import assert from 'node:assert/strict'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Finding, Report } from '@fettle/report'
import type { Lab } from './lab.ts'
import type { Ran } from './machine.ts'

export interface Reported extends Ran {
  readonly report: Report
}

export async function serverCheck(lab: Lab, ...more: string[]): Promise<Reported> {
  return jsonOf(await lab.serverFettle(['ssh', 'check', '--server', '--json', ...more]))
}

export async function serverChange(lab: Lab, ...more: string[]): Promise<Reported> {
  return jsonOf(await lab.serverFettle(['ssh', 'change', '--json', ...more]))
}

function jsonOf(ran: Ran): Reported {
  assert.ok(ran.output.startsWith('{'), `${ran.status}: ${ran.output}${ran.complaints}`)
  return { ...ran, report: JSON.parse(ran.output) as Report }
}

export const isWork = ({ severity }: Finding) => severity !== 'note'

/** Code, subject and seconds of what is to be done. */
export const works = ({ findings }: Report) =>
  findings.filter(isWork).map(({ code, subject, quantities }) => [code, subject, quantities.wait?.value] as const)

/** The only thing that is to be done, which is this one, with these seconds. */
export function assertOnly(
  { report }: Pick<Reported, 'report'>,
  code: string,
  subject: string,
  seconds: number,
): Finding {
  const [one, ...more] = report.findings.filter(isWork)
  assert.deepEqual([one?.code, one?.subject, one?.confidence], [code, subject, 'measured'], JSON.stringify(report))
  assert.deepEqual(more, [])
  const { value } = one!.quantities.wait!
  assert.ok(Math.abs(value - seconds) < 0.1 * seconds + 0.3, `${value} s`)
  assert.ok(one!.remedy.length > 0 && one!.undo !== undefined)
  return one!
}

export const measure = ({ measures }: Report, name: string) =>
  measures.find((one) => one.name === name)?.quantity.value ?? Number.NaN

/** Every file there with its bytes, its mode and its owner. */
export function filesBelow(lab: Lab, ...folders: string[]): Record<string, string> {
  return Object.fromEntries(
    folders.flatMap((folder) =>
      readdirSync(lab.server.outside(folder), { recursive: true, encoding: 'utf8' }).map((name) => {
        const file = join(lab.server.outside(folder), name)
        const { mode, uid, gid } = lstatSync(file)
        const bytes = lstatSync(file).isFile() ? readFileSync(file, 'latin1') : ''
        return [join(folder, name), `${mode.toString(8)} ${uid}:${gid} ${bytes}`] as const
      }),
    ),
  )
}

export const journalsOf = (lab: Lab): string[] => {
  const folder = join(lab.server.home('root'), 'fettle/undo')
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []
}
