/** A server that answers anything at all: what is made of it is a report, or nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonText, printable, type Report, readReport, reportText } from '@fettle/report'
import fc from 'fast-check'
import { planOf } from '../src/core/change/plan.ts'
import { type Facts, noFacts } from '../src/core/facts.ts'
import { judge } from '../src/core/judge/judge.ts'
import { learn } from '../src/core/look/learn.ts'
import { type Look, nextLook, nothingYet, type Seen } from '../src/core/look/look.ts'
import { nothingOwn } from '../src/core/look/own.ts'
import { type Answer, plainReply, Refusal } from '../src/core/read/resp.ts'
import { entriesOf, entryText } from '../src/core/read/slowlog.ts'

const NUMBERS = [0, 1, -1, 5000, 2_000_000, 1_795_649_091, 2 ** 63, -(2 ** 63)]
const WORDS = [
  '',
  '-1',
  '2000',
  'get',
  'KEYS',
  'eval',
  'exec',
  'constructor',
  '__proto__',
  'x'.repeat(9000),
  '\u001b[2J',
]
const CLIENT = 'id=5 addr=127.0.0.1:5 name=constructor age=1e99 flags=O cmd=get omem=1e30 sub=1'
const FIELDS = [
  'redis_version role total_commands_processed uptime_in_seconds used_cpu_user used_cpu_sys server_time_usec used_memory',
  'total_net_input_bytes total_net_output_bytes total_reads_processed total_connections_received maxmemory evicted_keys',
  'cmdstat_get cmdstat_constructor cmdstat_eval cmdstat_exec cmdstat_keys cmdstat_scan errorstat_OOM db0 latest_fork_usec',
].flatMap((line) => line.split(' '))
const VALUES = [
  '',
  '0',
  '1',
  '-1',
  '5000',
  '1e9',
  '9'.repeat(25),
  'NaN',
  'slave',
  'keys=5',
  'calls=5,usec=9e6',
  'calls=-1,usec=1',
]

const word = fc.constantFrom(...WORDS)
const number = fc.constantFrom(...NUMBERS)
const info = fc
  .array(fc.constantFrom(...VALUES), { minLength: FIELDS.length, maxLength: FIELDS.length })
  .map((values) => values.map((value, i) => `${FIELDS[i]}:${value}`).join('\r\n'))
const { any } = fc.letrec<{ any: Answer }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    number,
    word,
    info,
    fc.constant(null),
    fc.constantFrom(new Refusal('ERR'), new Refusal('')),
    fc.constant(CLIENT),
    fc.array(tie('any'), { maxLength: 4 }),
  ),
}))
/** Mostly what belongs there. */
const or = (right: fc.Arbitrary<Answer>) => fc.oneof({ arbitrary: right, weight: 4 }, any)
const entry = fc.tuple(or(number), or(number), or(number), or(fc.array(word, { maxLength: 3 })), or(word), or(word))
const log = or(fc.array(entry, { maxLength: 6 }))
const setting = fc.tuple(fc.constantFrom('slowlog-log-slower-than', 'slowlog-max-len', 'timeout', 'bind'), word)
const look: fc.Arbitrary<Pick<Seen, 'slow'> & Partial<Seen>> = fc.record({
  slow: log,
  window: log,
  info: or(info),
  clients: or(fc.constant(CLIENT)),
  settings: fc.array(or(setting), { maxLength: 6 }),
})

const BEGINNING: Facts = { ...noFacts, live: { ...nothingYet, name: 'fettle-1' } }

function learnt(answers: readonly (Pick<Seen, 'slow'> & Partial<Seen>)[]): Facts {
  let facts = BEGINNING
  for (const [at, all] of answers.entries()) {
    const next: Look | undefined = nextLook({ seconds: 9, sample: true, monitor: false }, facts)
    if (next === undefined) break
    const asked = { ...next, window: next.window ?? { milliseconds: 1, threshold: '0', between: '1997', entries: 9 } }
    facts = learn(facts, asked, { at, own: nothingOwn, ...all })
  }
  return facts
}

test('[D9] whatever a server answers, a report is made of it that can be read again, and nothing in it steers a terminal', () => {
  const check = (answers: Parameters<typeof learnt>[0]) => {
    const facts = learnt(answers)
    const report: Report = {
      schema: 'fettle.report/1',
      tool: 'redis check',
      subject: 'x',
      at: null,
      seconds: 1,
      ...judge(facts),
    }
    const text = reportText(report, 80)
    for (const line of text.split('\n')) assert.equal(line, printable(line))
    assert.ok(text.length < 100_000, `${text.length} letters`)
    const again = readReport(jsonText(report))
    assert.ok(!('problem' in again), JSON.stringify(again))
    const known = { facts, settings: facts.settings, refused: null, earlier: facts.clients, slowEntries: 1, self: 1 }
    for (const kill of [[], ['5']]) planOf({ set: [], kill, slowlogReset: false }, known)
    for (const { slow } of answers) entriesOf(plainReply(slow)).map(entryText)
  }
  fc.assert(fc.property(fc.array(look, { minLength: 1, maxLength: 7 }), check), { numRuns: 300 })
})
