/**
 * The meter that follows a log into a ledger, in a process of its own: `log-subject.ts LOG FOLDER`. When all of it is
 * read and committed it prints what that has cost, and ends.
 */
import { join } from 'node:path'
import { DEFAULT_TEMPLATE, logSource, openSqlite, readTemplate, startMeter, systemClock } from '@fettle/relay'

const [log = '', folder = ''] = process.argv.slice(2)
const template = readTemplate(DEFAULT_TEMPLATE)
if ('problem' in template) throw new Error(template.problem)
const clock = systemClock()
const { promise: read, resolve: isRead } = Promise.withResolvers<void>()
const before = process.cpuUsage()
const began = performance.now()
const meter = await startMeter({
  source: logSource({
    path: log,
    now: clock.now,
    isFull: () => false,
    on: ({ kind }) => kind === 'log current' && isRead(),
  }),
  store: await openSqlite({ file: join(folder, 'ledger.sqlite'), template, lingerMs: 30_000 }),
  clock,
})
await read
await meter.stop()
const { user, system } = process.cpuUsage(before)
const { realms, sums } = meter.state.relayed
const sumOf = (column: number) => realms.reduce((sum, _, i) => sum + sums[i * 8 + column]!, 0)
const seconds = (performance.now() - began) / 1000
process.stdout.write(
  `${JSON.stringify({ cpuSeconds: (user + system) / 1e6, seconds, received: sumOf(1), sent: sumOf(3) })}\n`,
)
