/** What fits into which column, and what is written there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DEFAULT_TEMPLATE, readTemplate, type Template } from '../src/core/session.ts'
import { constantField, fieldOf, type Value } from '../src/sink/fields.ts'
import { fitColumn } from '../src/sink/fit.ts'
import { readMapping } from '../src/sink/mapping.ts'
import { nameProblem, quoteId, quoteName } from '../src/sink/names.ts'
import { examine } from '../src/sink/plan.ts'
import type { Table, TableColumn } from '../src/sink/table.ts'
import { readSinkUrl, targetText } from '../src/sink/url.ts'

/** `int(10) unsigned`, `varchar(20)`, `decimal(12,3)`, `datetime(3)` as a column of a table. */
function column(fullType: string, more: Partial<TableColumn> = {}): TableColumn {
  const [, type = '', inner = ''] = /^(\w+)(?:\(([^)]*)\))?/.exec(fullType) ?? []
  const [first, second] = inner.split(',').map(Number)
  const isText = /char|text/.test(type)
  return {
    name: 'c',
    type,
    fullType,
    nullable: true,
    filled: true,
    generated: false,
    letters: isText ? first || 65_535 : null,
    bytes: isText ? (first ? first * 4 : 65_535) : null,
    precision: type === 'decimal' ? (first ?? 10) : null,
    scale: type === 'decimal' ? (second ?? 0) : null,
    fraction: /^(datetime|timestamp)$/.test(type) ? first || 0 : null,
    charset: isText ? 'utf8mb4' : null,
    ...more,
  }
}

const TIME = Date.UTC(2026, 10, 24, 4, 5, 6, 789)
/** Type, field, value, and the text that is written; a RegExp: why it is not, at once or for this value. */
const cases: readonly (readonly [string, string, Value, string | RegExp])[] = [
  ['bigint(20)', 'rcvb', 2 ** 53 - 1, '9007199254740991'],
  ['int(11)', 'rcvb', 5, /holds at most 2147483647; make it BIGINT/],
  ['int(10) unsigned', 'rcvp', 5785, '5785'],
  ['int(10) unsigned', 'rcvp', 2 ** 32, /4294967296 is more than it holds/],
  ['mediumint(9)', 'rcvp', 5, /make it INT UNSIGNED or BIGINT/],
  ['decimal(16,0)', 'rcvb', 7, '7'],
  ['decimal(15,0)', 'rcvb', 7, /holds at most/],
  ['double', 'rcvb', 2 ** 53 - 1, '9007199254740991'],
  ['float', 'rcvb', 7, /rounds/],
  ['varchar(16)', 'rcvb', 7, '7'],
  ['varchar(15)', 'rcvb', 7, /16 are needed/],
  ['date', 'rcvb', 7, /takes no number/],
  ['int(11)', 'seconds', 12.5, '13'],
  ['decimal(12,3)', 'seconds', 12.5, '12.500'],
  ['double', 'seconds', 12.345, '12.345'],
  ['smallint(6)', 'seconds', 1, /make it INT or DECIMAL/],
  ['datetime', 'start', TIME, '2026-11-24 04:05:06'],
  ['datetime(3)', 'start', TIME, '2026-11-24 04:05:06.789'],
  ['datetime(6)', 'end', TIME, '2026-11-24 04:05:06.789'],
  ['timestamp', 'start', TIME, '2026-11-24 04:05:06'],
  ['timestamp', 'start', 2 ** 31 * 1000, /does not hold/],
  ['int(11)', 'start', TIME, `${Math.floor(TIME / 1000)}`],
  ['int(11)', 'start', 2 ** 31 * 1000, /later than it holds/],
  ['bigint(20)', 'start', TIME, `${TIME}`],
  ['bigint(20)', 'start.seconds', TIME, `${Math.floor(TIME / 1000)}`],
  ['int(11)', 'start.ms', TIME, /milliseconds need BIGINT/],
  ['decimal(14,3)', 'start', TIME, (TIME / 1000).toFixed(3)],
  ['varchar(24)', 'start', TIME, '2026-11-24T04:05:06.789Z'],
  ['varchar(20)', 'start', TIME, /24 are needed/],
  ['date', 'start', TIME, /takes no time/],
  ['varchar(5)', 'device', 'alice', 'alice'],
  ['varchar(5)', 'device', 'alice2', /a text of 6 letters; it holds 5/],
  ['varchar(1)', 'device', '😀', '😀'],
  ['text', 'device', 'é'.repeat(40_000), /a text of 80000 bytes; it holds 65535/],
  ['int(11)', 'account', '18152649', '18152649'],
  ['int(11)', 'account', '007', /no number/],
  ['int(11)', 'account', '1e3', /no number/],
  ['int(11)', 'account', '2147483648', /outside of what it holds/],
  ['int(10) unsigned', 'account', '-1', /outside/],
  ['bigint(20)', 'account', '9223372036854775808', /no number|outside/],
  ['datetime', 'device', 'alice', /takes no text/],
  ["enum('relayed','unused')", 'class', 'relayed', 'relayed'],
  ["enum('relayed')", 'class', 'relayed', /lacks unused/],
  ["enum('a')", 'uid', 'a', /takes no id/],
  ['varchar(10)', 'quality', 'exact', /needed/],
  ['varchar(32)', 'uid', 'a', /33 are needed/],
  ['int(11)', 'revision', null, null as unknown as string],
]

for (const [type, name, value, expected] of cases) {
  test(`${name} into ${type}: ${String(value).slice(0, 30)} gives ${String(expected).slice(0, 40)}`, () => {
    const found = fitColumn(column(type), fieldOf(name)!)
    const written = 'problem' in found ? found : found.write(value)
    if (expected instanceof RegExp) assert.match('problem' in written ? written.problem : '', expected)
    else assert.deepEqual(written, { text: expected })
  })
}

test('[R39] a problem never holds the value', () => {
  fc.assert(
    fc.property(fc.constantFrom('varchar(3)', 'int(11)'), fc.string({ minLength: 12, maxLength: 40 }), (type, name) => {
      const found = fitColumn(column(type), fieldOf('device')!)
      assert('write' in found)
      const written = found.write(`secret-${name}`)
      assert('problem' in written && !written.problem.includes('secret'))
    }),
  )
})

test('constants are held against the column', () => {
  const problem = (type: string, value: string | number) => {
    const found = fitColumn(column(type), constantField(value))
    return 'problem' in found ? found.problem : ''
  }
  assert.equal(problem('varchar(4)', 'turn'), '')
  assert.match(problem('varchar(3)', 'turn'), /holds 3 letters; 4 are needed/)
  assert.match(problem('int(11)', 'turn'), /takes no "turn"/)
  assert.match(problem('tinyint(3) unsigned', -1), /does not hold -1/)
  assert.match(problem("enum('a','b')", 'c'), /lacks c/)
})

const letter = fc.oneof(
  fc.constantFrom(...'`a \0'),
  fc.constantFrom('\u00e9', '\ud7ff', '\ue000', '\u{10000}', '\u{10ffff}'),
  fc.nat(0xd7ff).map((code) => String.fromCodePoint(code)),
)

test('whatever is quoted is one name, and what cannot be one is refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: letter, maxLength: 70 }), (name) => {
      if (nameProblem(name) !== undefined) return assert.throws(() => quoteName(name))
      const quoted = quoteName(name)
      assert.match(quoted, /^`(?:[^`]|``)*`$/u)
      assert.equal(quoted.slice(1, -1).replaceAll('``', '`'), name)
    }),
    { numRuns: 500 },
  )
  for (const name of ['', 'a\0b', 'a ', 'x'.repeat(65), '😀']) assert.throws(() => quoteName(name), name)
  assert.equal(quoteName('a`; DROP TABLE b; --'), '`a``; DROP TABLE b; --`')
})

test('only an id of ours stands in SQL', () => {
  assert.equal(quoteId('17', true), '17')
  assert.equal(quoteId('9f86d081884c7d65-17', false), "'9f86d081884c7d65-17'")
  for (const id of ["1' OR '1", '1 OR 1', '', '-', 'x-1', '1-1-1']) assert.throws(() => quoteId(id, false), id)
  assert.throws(() => quoteId('9f-1', true))
})

const template = readTemplate('{expires}:{device}_{kind}_{account}') as Template

test('a mapping: all faults at once', () => {
  const faults = (given: Parameters<typeof readMapping>[0], by = template) => {
    const read = readMapping(given, by)
    return 'faults' in read ? read.faults.map((line) => line.replace(/; there are .*/, '')) : []
  }
  assert.deepEqual(faults({}), [
    'table: is missing; give the name of the table',
    'columns: is missing; give COLUMN: FIELD for each column to write',
  ])
  const columns = {
    a: 'bytes',
    'b ': 'rcvb',
    c: 'label.client',
    A: 'label.device',
    d: 'label.kind',
    e: 'label.expires',
  }
  assert.deepEqual(faults({ table: 't`', columns }), [
    'columns.a: "bytes" is no field',
    'columns.b : ends with a space',
    'columns.c: the username template {expires}:{device}_{kind}_{account} has no {client}',
    'columns.A: is there twice',
    'columns.A: label.device is simply device',
  ])
  const other = readTemplate(DEFAULT_TEMPLATE) as Template
  assert.deepEqual(faults({ table: 't', columns: { a: 'account' } }, other), [
    'columns.a: the username template {expires}:{device} has no {account}',
  ])
})

function table(
  columns: Record<string, Partial<TableColumn> & { readonly fullType: string }>,
  more: Partial<Table> = {},
) {
  const all = Object.entries(columns).map(([name, { fullType, ...rest }]) => column(fullType, { name, ...rest }))
  return { name: 't', kind: 'BASE TABLE', engine: 'InnoDB', unique: [], indexed: [], ...more, columns: all }
}

const strict = { nullable: false, filled: false }
const unique = (...columns: string[]) => ({ name: 'k', columns, cut: false })

function examined(columns: Record<string, string | object>, into: Table, corrections: 'update' | 'insert' = 'update') {
  const mapping = readMapping({ table: 't', columns: columns as never, corrections }, template)
  assert('columns' in mapping)
  return examine(mapping, into)
}

test('[R36] a table by which no session can be known again is refused with the ALTER TABLE that helps', () => {
  const { problems, plan } = examined({ a: 'device' }, table({ a: { fullType: 'varchar(99)' } }))
  assert.equal(plan, null)
  assert.deepEqual(problems, [
    'nothing says which session a row is of, so that it could be written twice; run ALTER TABLE `t` ADD `fettle_uid` ' +
      'VARCHAR(40) CHARACTER SET ascii NULL, ADD UNIQUE KEY `fettle_uid` (`fettle_uid`); and map fettle_uid: uid',
  ])
})

test('[R36] what does not fit the table is said before anything is written, a line for each', () => {
  const columns = {
    u: { fullType: 'varchar(40)' },
    n: { fullType: 'varchar(9)', ...strict },
    x: { fullType: 'int(11)', ...strict },
    g: { fullType: 'int(11)', generated: true },
  }
  const given = { u: 'uid', n: 'account', m: 'device', g: 'rcvp' }
  assert.deepEqual(examined(given, table(columns, { unique: [unique('u')] })).problems, [
    'column `n` is NOT NULL, and account can be unknown: give {field: account, otherwise: VALUE}, or run ' +
      'ALTER TABLE `t` MODIFY `n` varchar(9) NULL',
    'column `m` is not in the table',
    'column `g` is made by the database',
    'column `x` is NOT NULL without a default, and nothing is mapped to it',
  ])
  assert.match(examined(given, table({}, { kind: null })).problems[0]!, /there is no table `t`/)
  assert.match(examined(given, table({}, { kind: 'VIEW' })).problems[0]!, /is no table but a view/)
})

test('[R36] which keys say whose row it is', () => {
  const columns = {
    u: { fullType: 'varchar(40)' },
    i: { fullType: 'int(11)' },
    r: { fullType: 'int(11)' },
    s: { fullType: 'char(9)' },
  }
  const mapped = { u: 'uid', i: 'id', r: 'revision', s: { value: 'turn' } }
  const key = (index: Table['unique'][number] | undefined, corrections: 'update' | 'insert' = 'update') => {
    const { plan, problems } = examined(mapped, table(columns, { unique: index ? [index] : [] }), corrections)
    return plan === null ? problems.join() : `${plan.identity.field} ${plan.identity.key}`
  }
  assert.equal(key(unique('u')), 'uid k')
  assert.equal(key(unique('U', 's')), 'uid k')
  assert.equal(key(unique('i')), 'id k')
  assert.equal(key(unique('u', 'r')), 'uid null', 'each revision would have a row')
  assert.equal(key({ ...unique('u'), cut: true }), 'uid null', 'only the first letters')
  assert.equal(key(undefined), 'uid null')
  assert.equal(key(unique('u', 'r'), 'insert'), 'uid k')
  assert.match(key(unique('u'), 'insert'), /which the unique key `k` refuses; it must be over \(`u`, `r`\)/)
})

const urls: readonly (readonly [string, string])[] = [
  ['mysql://fettle@127.0.0.1/billing', 'fettle@127.0.0.1:3306/billing tls off'],
  ['mariadb://f%40x:p%40%2F@[::1]:3307/b%20c?ssl=unchecked', 'f@x@[::1]:3307/b c tls unchecked'],
  ['mysql://f@db.example.org/b?ssl=on', 'f@db.example.org:3306/b tls on'],
  ['mysql://f:x@localhost/b?socket=/run/mysqld/mysqld.sock', 'f@/run/mysqld/mysqld.sock/b tls off'],
  ['mysql://f@h/b?ca=/etc/ca.pem', 'f@h:3306/b tls on'],
]
for (const [url, expected] of urls) {
  test(`a target is read: ${url}`, () => {
    const target = readSinkUrl(url)
    assert('host' in target)
    assert.equal(`${targetText(target)} tls ${target.tls}`, expected)
  })
}

const wrongUrls: readonly (readonly [string, RegExp])[] = [
  ['', /is no mysql/],
  ['postgres://u:secret@h/b', /is no mysql/],
  ['mysql://u:sec/ret@h/b', /is no mysql|percent|names no database/],
  ['mysql://h/b', /no user/],
  ['mysql://u:secret@h', /names no database/],
  ['mysql://u:secret@h/b/c', /names no database/],
  ['mysql://u:secret@h:0/b', /port 0/],
  ['mysql://u:secret@h/b?secret=1', /something else/],
  ['mysql://u:secret@h/b?ssl=secret', /none of on, unchecked, off/],
  ['mysql://u:secret@127.0.0.1/b?ssl=on', /by its name/],
  ['mysql://u:secret@h/b#secret', /%23/],
  ['mysql://u:%zzsecret@h/b', /%25/],
]
for (const [url, problem] of wrongUrls) {
  test(`no target: ${url || 'nothing'}`, () => {
    const found = readSinkUrl(url)
    assert('problem' in found)
    assert.match(found.problem, problem)
    assert.doesNotMatch(found.problem, /secret/)
  })
}
