/**
 * What the HTTP API says of kept reports, as schemas. What a report holds is told where its types are
 * (packages/report/src/report.ts); a file may hold more than these, and is given as it is.
 */
import { REPORT_NAME } from '@fettle/check'
import type { Finding, Quantity, Report } from '@fettle/report'
import { units } from '@fettle/report'
import type { Change, Comparison } from '@fettle/report/comparison'
import { z } from 'zod'

const count = z.int().min(0)
const timeOrUnknown = z.iso.datetime().nullable()

export const reportName = z.string().regex(REPORT_NAME)

const keptReport = z.strictObject({
  name: reportName.describe('of its file, without the folder'),
  tool: z.string().describe('the command that made it: redis explain'),
  subject: z.string().describe('what was looked at'),
  at: timeOrUnknown.describe('when; null: what was looked at does not say'),
  keptAt: z.iso.datetime(),
  seconds: z.number().nullable().describe('for how long one looked; null: what was looked at does not say'),
  faults: count,
  warnings: count,
  notes: count,
})

/** `next`: the cursor of the next page, null on the last one. */
export const reportPage = z.strictObject({ reports: z.array(keptReport), next: reportName.nullable() })

export const quantity = z.looseObject({
  value: z.number().nullable().describe('null: unknown'),
  unit: z.enum(units),
  low: z.number().nullish().describe('the interval that holds the true value with 95 % confidence; null: without end'),
  high: z.number().nullish(),
})

export const reportFinding = z.looseObject({
  code: z.string(),
  severity: z.enum(['fault', 'warning', 'note']),
  subject: z.string(),
  says: z.string(),
  cause: z.string().optional(),
  confidence: z.enum(['measured', 'likely', 'possible']).describe('how sure the cause is'),
  quantities: z.record(z.string(), quantity),
  evidence: z.array(z.looseObject({ source: z.string(), text: z.string() })),
  remedy: z.array(z.string()),
  undo: z.string().optional(),
})

const titled = { name: z.string(), title: z.string() }

export const report = z.looseObject({
  schema: z.literal('fettle.report/1'),
  tool: z.string(),
  subject: z.string(),
  at: timeOrUnknown,
  seconds: z.number().nullable(),
  measures: z.array(z.looseObject({ ...titled, quantity, better: z.enum(['less', 'more']).optional() })),
  tables: z.array(
    z.looseObject({
      ...titled,
      columns: z.array(z.looseObject(titled)),
      rows: z.array(z.array(z.union([z.string(), quantity, z.null()]))),
    }),
  ),
  findings: z.array(reportFinding),
  unseen: z.array(z.looseObject({ what: z.string(), why: z.string() })),
})

export const comparison = z.strictObject({
  schema: z.literal('fettle.comparison/1'),
  tool: z.string(),
  subject: z.string(),
  before: timeOrUnknown,
  after: timeOrUnknown,
  changes: z.array(
    z.strictObject({
      ...titled,
      before: quantity,
      after: quantity,
      change: quantity.nullable().describe('after / before - 1; null: there is no ratio to nothing'),
      verdict: z.enum(['better', 'worse', 'different', 'noise', 'same', 'unknown']),
    }),
  ),
  gone: z.array(reportFinding),
  come: z.array(reportFinding),
  stayed: z.array(reportFinding),
})

export type ReportPage = z.infer<typeof reportPage>
export type KeptReport = ReportPage['reports'][number]
export type { Change, Comparison, Finding as ReportFinding, Quantity, Report }
