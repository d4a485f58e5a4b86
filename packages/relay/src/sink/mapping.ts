/** Which column gets what, as the settings file says it. */
import { z } from 'zod'
import type { Template } from '../core/session.ts'
import { constantField, type Field, fieldOf, fields, labelIn } from './fields.ts'
import { nameProblem } from './names.ts'
import type { SinkTarget } from './url.ts'

/** What a later change of a final session does to its row. */
export const corrections = ['update', 'insert', 'ignore'] as const
export type Corrections = (typeof corrections)[number]

/** A column and what is written there. */
export interface Source {
  readonly column: string
  readonly field: Field
  /** Written where the field is null. */
  readonly otherwise: string | number | null
}

export interface Mapping {
  readonly table: string
  readonly columns: readonly Source[]
  readonly corrections: Corrections
}

/** What the sink needs to know. */
export interface SinkOptions extends Mapping {
  /** null: it was not said where to, which only a command that writes minds. */
  readonly target: SinkTarget | null
  readonly template: Template
}

const constant = z.union([z.string(), z.number()])

/** `relay.sink` of the settings file, without the URL. */
export const mappingSchema = {
  table: z.string(),
  columns: z.record(
    z.string(),
    z.union(
      [
        z.string(),
        z.strictObject({ value: constant }),
        z.strictObject({ field: z.string(), otherwise: constant.optional() }),
      ],
      'is neither a field, nor {field, otherwise}, nor {value}',
    ),
  ),
  corrections: z.enum(corrections),
}

type Whole = z.infer<z.ZodObject<typeof mappingSchema>>
export type GivenMapping = { readonly [name in keyof Whole]?: Whole[name] | undefined }
type GivenSource = Whole['columns'][string]

/** Reads it; every fault is a line that begins with the setting's name. */
export function readMapping(given: GivenMapping, template: Template): Mapping | { readonly faults: readonly string[] } {
  const faults: string[] = []
  const { table, columns = {} } = given
  const say = (where: string, problem: string) => faults.push(`${where}: ${problem}`)
  if (table === undefined) say('table', 'is missing; give the name of the table')
  else if (nameProblem(table) !== undefined) say('table', `${JSON.stringify(table)} ${nameProblem(table)}`)
  if (Object.keys(columns).length === 0) say('columns', 'is missing; give COLUMN: FIELD for each column to write')
  const names = new Set<string>()
  const sources = Object.entries(columns).flatMap(([column, source]) => {
    const where = `columns.${column}`
    const problem = nameProblem(column) ?? (names.has(column.toLowerCase()) ? 'is there twice' : undefined)
    // MySQL tells names of columns apart without regard to case.
    names.add(column.toLowerCase())
    const read = readSource(column, source, template)
    if (problem !== undefined) say(where, problem)
    if ('problem' in read) say(where, read.problem)
    return 'problem' in read ? [] : [read]
  })
  if (faults.length > 0 || table === undefined) return { faults }
  return { table, columns: sources, corrections: given.corrections ?? 'update' }
}

function readSource(column: string, given: GivenSource, template: Template): Source | { readonly problem: string } {
  if (typeof given !== 'string' && 'value' in given) {
    return { column, field: constantField(given.value), otherwise: null }
  }
  const { field: name, otherwise = null } = typeof given === 'string' ? { field: given } : given
  const field = fieldOf(name)
  const label = labelIn(name)
  if (field === undefined) {
    const all = [...fields.map((one) => one.name), 'label.NAME'].join(', ')
    return { problem: `${JSON.stringify(name)} is no field; there are ${all}, and {value: ...}` }
  }
  if (label === 'device' || label === 'account') return { problem: `${name} is simply ${label}` }
  if (label !== undefined && !template.fields.includes(label)) {
    return { problem: `the username template ${template.text} has no {${label}}` }
  }
  if (name === 'account' && !template.fields.includes('account') && otherwise === null) {
    return { problem: `the username template ${template.text} has no {account}` }
  }
  return { column, field, otherwise }
}
