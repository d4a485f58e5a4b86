/** What was recorded: the first part of each case. */
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Finding } from '@fettle/report'

const folder = fileURLToPath(new URL('../cases', import.meta.url))

export interface Case {
  readonly name: string
  /** With the rules that it holds. */
  readonly title: string
  readonly log: string
  readonly report: string
}

/** A title, the log and the report, parted by lines of `---`. */
export const cases: readonly Case[] = globSync('*.case', { cwd: folder })
  .sort()
  .map((file) => {
    const [title = '', log = '', ...report] = readFileSync(`${folder}/${file}`, 'utf8').split(/^---\n/m)
    return { name: basename(file, '.case'), title: title.trim(), log, report: report.join('---\n').trimStart() }
  })

export const recordings: ReadonlyMap<string, string> = new Map(cases.map(({ name, log }) => [name, log]))

/** Code, seconds, confidence, the lines before and after the wait. */
export type Planted = readonly [Finding['code'], number, Finding['confidence'], number, number]
