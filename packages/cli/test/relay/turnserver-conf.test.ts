/** What coturn reads in a turnserver.conf, and what that comes to. The readings were compared with coturn 4.6.1. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkConfiguration, checkVersion } from '../../src/relay/turnserver-conf.ts'
import { type Expected, readSettings } from '../../src/relay/turnserver-settings.ts'

const servers = [
  { name: 'berlin', token: 'token-of-berlin', version: null },
  { name: 'paris', token: 'token-of-paris', version: null },
]
const expected: Expected = {
  servers,
  host: '10.0.0.5',
  port: 7431,
  log: null,
  template: '{expires}:{device}',
  version: null,
}
const OWN = 'redis-statsdb="ip=10.0.0.5 port=7431 password=token-of-paris connect_timeout=5"\n'
const DENIED = 'denied-peer-ip=10.0.0.5\n'

test('settings are read as coturn reads them', () => {
  const text = [
    '# realm=commented',
    '  realm = spaced',
    'realm\ttabbed',
    'verbose',
    'quoted="a b" ',
    'open="a b',
    'equals=a=b',
    'hash=a # b',
    '',
    '=x',
  ].join('\r\n')
  assert.deepEqual(Object.fromEntries(readSettings(text)), {
    realm: ['spaced', 'tabbed'],
    verbose: [''],
    quoted: ['a b'],
    open: ['a b'],
    equals: ['a=b'],
    hash: ['a # b'],
  })
})

/** Levels and codes. */
function look(text: string, more: Partial<Expected> = {}, statsdb?: string) {
  const configuration = { name: 'turnserver.conf', text, ...(statsdb === undefined ? {} : { statsdb }) }
  const { checks, server } = checkConfiguration(configuration, { ...expected, ...more })
  const said = JSON.stringify(checks)
  assert(!/token-of|secret/.test(said), `a password is told: ${said}`)
  return { found: checks.map(({ level, code }) => `${level} ${code}`), server: server?.name, checks }
}

const GOOD = 'verbose\nsimple-log\nlog-file=/var/log/turn.log\nnew-log-timestamp\n'
const LOG = { log: '/var/log/turn.log' }
const ELSEWHERE = 'redis-statsdb="ip=10.0.0.9 password=secret"\n'
/** Where the meter follows a log. */
const logCases: readonly (readonly [string, string, Partial<Expected>, readonly string[], undefined | 'paris'])[] = [
  ['a log as it should be', GOOD, LOG, ['ok statsdb'], undefined],
  ['and reports that go elsewhere', ELSEWHERE + GOOD, LOG, ['ok statsdb'], undefined],
  [
    'reports that go elsewhere, and a log that is piped in',
    `${ELSEWHERE}Verbose`,
    { log: '-' },
    ['ok statsdb'],
    undefined,
  ],
  ['a log that tells nothing', GOOD.replace('verbose', ''), LOG, ['ok statsdb', 'problem log-verbose'], undefined],
  ['no times', GOOD.replace('new-log-timestamp', ''), LOG, ['ok statsdb', 'warning log-undated'], undefined],
  [
    'no times, which 4.17 has',
    GOOD.replace('new-log-timestamp', ''),
    { ...LOG, version: '4.17.0' },
    ['ok statsdb'],
    undefined,
  ],
  ['another file', GOOD.replace('turn.log', 'x.log'), LOG, ['ok statsdb', 'problem log-elsewhere'], undefined],
  ['a file for each day', GOOD.replace('simple-log', ''), LOG, ['ok statsdb', 'problem log-elsewhere'], undefined],
  [
    'a file for each day, by a pattern',
    GOOD.replace('simple-log', ''),
    { log: '/var/log/turn_*.log' },
    ['ok statsdb'],
    undefined,
  ],
  ['the system log', `${GOOD}syslog`, LOG, ['ok statsdb', 'problem log-elsewhere'], undefined],
  ['heard twice', OWN + DENIED + GOOD, LOG, ['ok statsdb', 'problem heard-twice'], 'paris'],
]

const statsdb = (text: string) => `redis-statsdb="${text}"\n${DENIED}`
const cases: readonly (readonly [string, string, Partial<Expected>, readonly string[], string | undefined])[] = [
  ['the line of a server', OWN + DENIED, {}, ['ok statsdb'], 'paris'],
  ['no line', DENIED, {}, ['problem statsdb-missing'], undefined],
  ['a line that is commented out', `# ${OWN}`, {}, ['problem statsdb-missing'], undefined],
  ['a wrong password', statsdb('ip=10.0.0.5 port=7431 password=secret'), {}, ['problem statsdb-password'], undefined],
  ['no password', statsdb('ip=10.0.0.5 port=7431'), {}, ['problem statsdb-password'], undefined],
  ['another port', statsdb('ip=10.0.0.5 port=7000 password=token-of-paris'), {}, ['problem statsdb-address'], 'paris'],
  [
    'another address',
    `${statsdb('ip=10.0.0.6 port=7431 password=token-of-paris')}denied-peer-ip=10.0.0.6`,
    {},
    ['problem statsdb-address'],
    'paris',
  ],
  [
    'no port is the one of Redis',
    statsdb('ip=10.0.0.5 password=token-of-paris'),
    {},
    ['problem statsdb-address'],
    'paris',
  ],
  ['another Redis', statsdb('ip=10.0.0.9 port=6379 password=secret'), {}, ['problem statsdb-elsewhere'], undefined],
  [
    'the Redis that the meter hears',
    statsdb('ip=10.0.0.9 port=6379 password=secret dbname=2 tls=1'),
    { redis: { host: '10.0.0.9', port: 6379 } },
    ['ok statsdb'],
    undefined,
  ],
  [
    'another than the Redis that the meter hears',
    statsdb('ip=10.0.0.8 port=6379 password=secret'),
    { redis: { host: '10.0.0.9', port: 6379 } },
    ['problem statsdb-elsewhere'],
    undefined,
  ],
  [
    'what coturn cannot read',
    statsdb('ip=10.0.0.5 port=7431 passwort=secret'),
    {},
    ['problem statsdb-unreadable'],
    undefined,
  ],
  ['a word alone', statsdb('ip=10.0.0.5 secret'), {}, ['problem statsdb-unreadable'], undefined],
  ['TLS', statsdb('ip=10.0.0.5 port=7431 password=token-of-paris tls=1'), {}, ['problem statsdb-tls'], 'paris'],
  ['other words for the same', statsdb('host=10.0.0.5 p=7431 pwd=token-of-paris db=0'), {}, ['ok statsdb'], 'paris'],
  ['a meter on every address', `${OWN}denied-peer-ip=10.0.0.5`, { host: '0.0.0.0' }, ['ok statsdb'], 'paris'],
  ['a name', statsdb('ip=meter.example.org port=7431 password=token-of-paris'), {}, ['ok statsdb'], 'paris'],
  [
    'the last line counts',
    `redis-statsdb="ip=10.0.0.9"\n${OWN}${DENIED}`,
    {},
    ['ok statsdb', 'warning statsdb-twice'],
    'paris',
  ],
  [
    'the last line counts, and it is another one',
    `${OWN}redis-statsdb="ip=10.0.0.9"\n${DENIED}`,
    {},
    ['problem statsdb-elsewhere', 'warning statsdb-twice'],
    undefined,
  ],
  ...logCases,
  ['clients may reach the meter', OWN, {}, ['ok statsdb', 'warning meter-exposed'], 'paris'],
  ['coturn 4.17 sees to that', OWN, { version: '4.17.0' }, ['ok statsdb'], 'paris'],
  ['coturn 4.16 does not', OWN, { version: '4.16.2' }, ['ok statsdb', 'warning meter-exposed'], 'paris'],
  ['a range denies', `${OWN}denied-peer-ip=10.0.0.0-10.255.255.255`, {}, ['ok statsdb'], 'paris'],
  ['a network denies', `${OWN}denied-peer-ip=10.0.0.0/8`, {}, ['ok statsdb'], 'paris'],
  [
    'a range beside it, and nonsense, deny nothing',
    `${OWN}denied-peer-ip=10.0.1.0-10.0.2.0\ndenied-peer-ip=10.9.9.9-10.0.0.0\ndenied-peer-ip=x\ndenied-peer-ip=10.0.0.0/99`,
    {},
    ['ok statsdb', 'warning meter-exposed'],
    'paris',
  ],
  [
    'loopback is closed to clients',
    'redis-statsdb="ip=127.0.0.1 port=7431 password=token-of-paris"',
    { host: '127.0.0.1' },
    ['ok statsdb'],
    'paris',
  ],
  [
    'unless it was opened',
    'redis-statsdb="port=7431 password=token-of-paris"\nallow-loopback-peers',
    { host: 'localhost' },
    ['ok statsdb', 'warning meter-exposed'],
    'paris',
  ],
  ['nothing is relayed', `${OWN}${DENIED}stun-only`, {}, ['ok statsdb', 'warning stun-only'], 'paris'],
  [
    'another separator than the template’s',
    `${OWN}${DENIED}use-auth-secret\nrest-api-separator=|`,
    {},
    ['ok statsdb', 'warning separator'],
    'paris',
  ],
  [
    'the template’s separator',
    `${OWN}${DENIED}use-auth-secret\nrest-api-separator=|`,
    { template: '{expires}|{device}' },
    ['ok statsdb'],
    'paris',
  ],
]
for (const [what, text, more, found, server] of cases) {
  test(`turnserver.conf: ${what}`, () => {
    const outcome = look(text, more)
    assert.deepEqual(outcome.found, found)
    assert.equal(outcome.server, server)
    for (const { level, remedy } of outcome.checks)
      assert(level === 'ok' || (remedy?.length ?? 0) > 0 || found.includes('warning stun-only'))
  })
}

test('what the command line says counts instead of the file', () => {
  const outcome = look(OWN + DENIED, {}, 'ip=10.0.0.9 port=6379')
  assert.deepEqual(outcome.found, ['problem statsdb-elsewhere'])
  assert.match(outcome.checks[0]!.text, /^the command line of the coturn that reads turnserver\.conf/)
  const own = look('', {}, 'ip=10.0.0.5 port=7431 password=token-of-berlin')
  assert.equal(own.server, 'berlin')
})

test('a restart is to be drained where that can be', () => {
  const remedy = (version: string | null) => JSON.stringify(look('', { version }).checks[0]!.remedy)
  assert.match(remedy('4.10.0'), /kill -USR1/)
  assert.doesNotMatch(remedy('4.9.1'), /kill -USR1/)
  assert.doesNotMatch(remedy(null), /kill -USR1/)
})

test('versions and what they are known for', () => {
  const told = (version: string) =>
    checkVersion('berlin', version, '10.0.0.5').map(({ level, text }) => `${level} ${text}`)
  assert.match(told('4.6.1')[0]!, /^warning .*below 4\.13\.0 a % in a username/)
  assert.match(told('4.12.9')[0]!, /^warning /)
  assert.deepEqual(told('4.13.0'), ['ok berlin runs coturn 4.13.0.'])
  assert.deepEqual(told('4.17.1'), [
    'ok berlin runs coturn 4.17.1, which relays nothing to 10.0.0.5, where it reports to.',
  ])
})
