import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readOptions } from '@fettle/relay'
import { examples } from '../src/relay/relay.ts'
import { type Run, start, words } from './terminal.ts'

const bin = fileURLToPath(new URL('../bin/fettle.js', import.meta.url))
const recording = (name: string) => fileURLToPath(new URL(`../../relay/test/recordings/${name}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'fettle-cli-'))
copyFileSync(recording('note-2018-call.txt'), join(folder, 'call.txt'))
copyFileSync(recording('k-call-log.txt'), join(folder, 'turnserver.log'))
copyFileSync(recording('j-call-log.txt'), join(folder, 'turn.log'))
after(() => rmSync(folder, { recursive: true }))

const environment = {
  HOME: folder,
  XDG_DATA_HOME: join(folder, 'share'),
  FETTLE_RESP: '127.0.0.1:0',
  FETTLE_HTTP: '127.0.0.1:0',
  FETTLE_LOG_FORMAT: 'text',
}

/** Runs a command in this process; `until`: it is told to end once its output holds this. */
async function fettle(words: readonly string[], until?: RegExp, more: Record<string, string> = {}): Promise<Run> {
  // Files are named as in the folder where a user would stand.
  const placed = words.map((word) =>
    word.startsWith('./') || existsSync(join(folder, word)) ? join(folder, word) : word,
  )
  const running = start(placed, { ...environment, ...more })
  if (until !== undefined) {
    await running.shows(until)
    running.interrupt()
  }
  return running.ended
}

for (const example of Object.values(examples).flat()) {
  test(`the example in help runs: ${example}`, async () => {
    const ready = example.includes('--log') ? /read to its end/ : /waiting for coturn/
    const until = example.startsWith('fettle relay serve') ? ready : undefined
    const { status, err, out } = await fettle(words(example), until)
    assert.equal(err, '')
    assert.equal(status, 0)
    assert.notEqual(out, '')
  })
}

test('every example stands in help', async () => {
  for (const [name, lines] of Object.entries(examples)) {
    const { out, status } = await fettle(['relay', name, '--help'])
    assert.equal(status, 0)
    for (const line of lines) assert(out.includes(line), `${name}: ${line}`)
    for (const line of out.split('\n').filter((text) => !text.includes('fettle relay'))) assert(line.length <= 80, line)
  }
})

test('a wrong request: one line for each fault, status 2, nothing made', async () => {
  const data = join(folder, 'never')
  const { status, out, err } = await fettle(
    ['relay', 'serve', '--data', data, '--resp', 'nowhere', '--linger', '-1', '--username', '{x}'],
    undefined,
    { FETTLE_CONFIG: join(folder, 'absent.yaml') },
  )
  assert.equal(status, 2)
  assert.equal(out, '')
  assert.deepEqual(err.trimEnd().split('\n'), [
    `fettle: ${join(folder, 'absent.yaml')}: cannot be read (ENOENT)`,
    'fettle: --resp "nowhere": is no HOST:PORT, for instance 127.0.0.1:7431 or [::1]:7431, and not "off"',
    'fettle: --username "{x}": has no {device}; for instance {expires}:{device}',
    'fettle: --linger "-1": is no number of seconds (0 to 86400)',
  ])
  assert(!existsSync(data))
})

const complaints: [string, readonly string[], number, RegExp][] = [
  ['an unknown command', ['relay', 'fly'], 2, /^fettle: unknown command 'fly'\n$/],
  ['an unknown option', ['relay', 'serve', '--fly'], 2, /^fettle: unknown option '--fly'\n$/],
  [
    'JSON and CSV at once',
    ['relay', 'sessions', '--json', '--csv'],
    2,
    /'--csv' cannot be used with option '--json'\n$/,
  ],
  ['a name that steers the terminal', ['relay', '\u001b[31m\nx'], 2, /^fettle: unknown command '\\u001b\[31m x'\n$/],
  ['no file', ['relay', 'replay'], 2, /^fettle: missing required argument 'file'\n$/],
  ['a file that is not there', ['relay', 'replay', 'gone.txt'], 3, /^fettle: gone\.txt: .*ENOENT.*\n$/],
  ['an empty file', ['relay', 'replay', '/dev/null'], 3, /^fettle: \/dev\/null: is empty\n$/],
  ['a file that is no recording', ['relay', 'replay', bin], 3, /^fettle: .*fettle\.js: no recording that fettle knows/],
  [
    'a folder without records',
    ['relay', 'sessions', '--data', 'none'],
    3,
    /^fettle: .*none: no meter has kept records/,
  ],
]
for (const [what, line, expected, pattern] of complaints) {
  test(`${what}: one line, status ${expected}`, async () => {
    const { status, err } = await fettle(line)
    assert.equal(status, expected)
    assert.match(err, pattern)
    assert.equal(err.trimEnd().split('\n').length, 1)
  })
}

test('a wrong setting is said where it was given', async () => {
  const wrong = { FETTLE_LOG_FORMAT: 'xml' }
  const { err } = await fettle(['relay', 'serve'], undefined, wrong)
  assert.equal(err, 'fettle: environment FETTLE_LOG_FORMAT "xml": is neither text nor json\n')
  const flagged = await fettle(['relay', 'serve', '--log-format', 'yaml'], undefined, wrong)
  assert.match(flagged.err, /^fettle: --log-format "yaml": /)
})

test('without a command there is help, as it is laid out, and status 2', async () => {
  for (const line of [[], ['relay'], ['relay', 'server']]) {
    const { status, out, err } = await fettle(line)
    assert.deepEqual([status, err], [2, ''])
    assert.match(out, /^Usage: fettle.*\n\n/)
    assert.match(out, /^Commands:\n {2}\w+/m)
  }
})

test('settings come from flags, then the environment, then the file', () => {
  const file = join(folder, 'fettle.yaml')
  writeFileSync(file, `relay:\n  data: ${join(folder, 'from-file')}\n  username: "{expires}:{device}"\n`)
  const dataOf = (flags: Record<string, string>, environment: Record<string, string>) => {
    const outcome = readOptions({ config: file, ...flags }, environment)
    return outcome.ok && outcome.value.data
  }
  const fromEnvironment = { FETTLE_DATA: join(folder, 'from-environment') }
  assert.equal(dataOf({}, {}), join(folder, 'from-file'))
  assert.equal(dataOf({}, fromEnvironment), join(folder, 'from-environment'))
  assert.equal(dataOf({ data: join(folder, 'from-flag') }, fromEnvironment), join(folder, 'from-flag'))
})

test('a setting that the file misspells is a fault, not a default', async () => {
  const file = join(folder, 'misspelt.yaml')
  writeFileSync(file, 'relay:\n  dta: /tmp\n')
  const { status, err } = await fettle(['relay', 'serve', '--config', file])
  assert.equal(status, 2)
  assert.match(err, /misspelt\.yaml: relay: .*dta/)
})

test('replay as table, CSV and JSON', async () => {
  const template = ['--username', '{expires}:{device}_{kind}_{client}_{account}']
  const { out: shown } = await fettle(['relay', 'replay', 'call.txt'])
  for (const line of shown.split('\n')) assert(Array.from(line).length <= 80, line)
  assert.match(shown, /deleted +unknown +5\.86 MB +114 kB +exact/)
  const { out: csv } = await fettle(['relay', 'replay', 'call.txt', '--csv', ...template])
  const [header, row] = csv.split('\r\n')
  assert.equal(header!.split(',').length, row!.split(',').length)
  assert.match(row!, /^1,pano,26e4cd38fa6fc39fa8fc40fb25fe558c,18152649,relayed,/)
  assert.match(row!, /,5785,5862284,2407,114451,,,,$/)
  const { out: json } = await fettle(['relay', 'replay', 'call.txt', '--json', ...template])
  const { schema, sessions } = JSON.parse(json)
  assert.equal(schema, 'fettle.relay.replay/1')
  assert.equal(sessions[0].account, '18152649')
})

test('a name that steers the terminal does so in no form', async () => {
  const event = (kind: string, message: string) =>
    `1795448064000\tturn/user/1:\u009b31m\u202e/allocation/000000000000000001/${kind}\t${message}\n`
  writeFileSync(join(folder, 'steering.txt'), event('status', 'new lifetime=600') + event('status', 'deleted'))
  for (const form of [[], ['--json'], ['--csv']]) {
    const { out, err } = await fettle(['relay', 'replay', 'steering.txt', ...form])
    assert.equal(err, '')
    assert.match(out, /\\u009b31m\\u202e/)
    assert(!/[\u009b\u202e]/.test(out))
  }
})

test('a log without the lines that count says what to turn on', async () => {
  for (const form of [[], ['--json'], ['--csv']]) {
    const { status, out, err } = await fettle(['relay', 'replay', recording('b-turnserver-log.txt'), ...form])
    assert.equal(status, 0)
    assert.match(err, /^fettle: .*b-turnserver-log\.txt: coturn log that tells of no allocation; .* verbose .*\n$/)
    assert.notEqual(out, '')
  }
  assert.equal((await fettle(['relay', 'replay', 'turnserver.log'])).err, '')
})

test('[R19] names that do not fit the template are counted', async () => {
  const { out } = await fettle(['relay', 'replay', 'call.txt', '--username', '{expires}:{device}-{kind}'])
  assert.match(out, /^5 allocations have usernames that do not fit the template$/m)
})
