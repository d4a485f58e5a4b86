/** What is remembered and shown while one watches, of a server that is made up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Facts, noFacts } from '../src/core/facts.ts'
import { learn } from '../src/core/look/learn.ts'
import { type Look, nextLook, nothingYet, type Seen } from '../src/core/look/look.ts'
import { OwnCount } from '../src/core/look/own.ts'
import { recent } from '../src/core/look/recent.ts'
import { type Answer, Refusal } from '../src/core/read/resp.ts'
import { type Size, type View, viewLines } from '../src/core/watch/watch-view.ts'

const EPOCH = Date.UTC(2026, 10, 26, 3, 0, 0) / 1000
const ME = 'fettle-1'

interface Made {
  readonly get: string
  readonly client: string
  readonly keys: string
  readonly keysSeconds: number
  /** From then on nobody calls KEYS, and the CPU is idle. */
  readonly healthyAt: number
}
const MADE: Made = {
  get: 'user:7:profile',
  client: 'web',
  keys: 'user:*:profile',
  keysSeconds: 0.3,
  healthyAt: Infinity,
}

/** A thousand GETs a second, and KEYS every two seconds. */
class Server {
  readonly #made: Made
  readonly #own = new OwnCount()
  readonly #log: Answer[] = []
  #id = 0
  #keys = 0
  resetAt = Infinity

  constructor(made: Made) {
    this.#made = made
  }

  answer(look: Look): Seen {
    const at = look.at + 0.001
    for (; this.#keys * 2 < Math.min(at, this.#made.healthyAt); this.#keys++) {
      this.#enter(this.#keys * 2, this.#made.keysSeconds * 1e6, ['KEYS', this.#made.keys], 'reporter')
    }
    const slow = this.#newest(look.slow)
    if (look.window !== null) this.#open(at, look.window.between)
    return {
      at,
      slow,
      own: this.#own.until(0, 0),
      ...(look.info ? { info: this.#info(at) } : {}),
      ...(look.clients ? { clients: `id=1 addr=10.0.0.1:1 name=${this.#made.client} age=9 flags=N cmd=get\n` } : {}),
      ...(look.settings
        ? {
            settings: [
              ['slowlog-log-slower-than', '10000'],
              ['slowlog-max-len', '128'],
            ],
          }
        : {}),
      ...(look.window === null ? {} : { window: this.#newest(look.window.entries) }),
      ...(look.monitor === null ? {} : { lines: this.#monitor(at) }),
    }
  }

  #open(at: number, between: string): void {
    this.#enter(at, 3, ['CONFIG', 'SET', 'slowlog-log-slower-than', '0'], ME)
    for (let i = 0; i < 20; i++) this.#enter(at, 5, ['GET', this.#made.get], this.#made.client)
    this.#enter(at, 3, ['CONFIG', 'SET', 'slowlog-log-slower-than', between], ME)
  }

  #enter(at: number, usec: number, words: string[], client: string): void {
    this.#log.push([this.#id++, Math.floor(EPOCH + at), usec, words, '10.0.0.1:1', client])
  }

  #newest(count: number): Answer {
    return this.#log.slice(-count).reverse()
  }

  #monitor(at: number): string[] {
    const stamp = (i: number) => (EPOCH + at + i / 1000).toFixed(6)
    return Array.from({ length: 3 }, (_, i) => `${stamp(i)} [0 10.0.0.${1 + (i % 3)}:1] "get" "user:7:profile"`)
  }

  #info(at: number): string {
    const since = at < this.resetAt ? at : at - this.resetAt
    const keys = Math.floor(Math.min(since, this.#made.healthyAt) / 2)
    const calls = Math.round(1000 * since)
    const busy = Math.min(at, this.#made.healthyAt)
    const fields = {
      redis_version: '7.0.15',
      run_id: 'a',
      role: 'master',
      connected_slaves: 0,
      connected_clients: 2,
      used_memory: 5e7,
      server_time_usec: (EPOCH + at) * 1e6,
      uptime_in_seconds: 1000 + Math.floor(at),
      total_commands_processed: calls + keys,
      total_reads_processed: calls + keys,
      total_net_input_bytes: calls * 40,
      total_net_output_bytes: calls * 400,
      used_cpu_user_main_thread: busy * 0.4,
      used_cpu_sys_main_thread: busy * 0.1,
      cmdstat_get: `calls=${calls},usec=${calls * 5}`,
      cmdstat_keys: `calls=${keys},usec=${keys * this.#made.keysSeconds * 1e6}`,
    }
    return Object.entries(fields)
      .map(([name, value]) => `${name}:${value}`)
      .join('\r\n')
  }
}

const MINUTE = 60

function watched(seconds: number, more: Partial<Made> & { plan?: object; resetAt?: number } = {}): Facts {
  const server = new Server({ ...MADE, ...more })
  server.resetAt = more.resetAt ?? Infinity
  const plan = { seconds: Infinity, sample: true, monitor: false, ...more.plan }
  let facts: Facts = { ...noFacts, live: { ...nothingYet, name: ME } }
  for (;;) {
    const look = nextLook(plan, facts)!
    if (look.at > seconds) return facts
    facts = recent(learn(facts, look, server.answer(look)), MINUTE)
  }
}

const VIEW: View = {
  address: 'redis://10.0.0.9:6379',
  now: EPOCH * 1000,
  silentSeconds: 0,
  sort: 'executing',
  isPaused: false,
  keys: 'hinted',
}
const SIZE: Size = { width: 80, height: 24 }

const show = (facts: Facts, size = SIZE, view: Partial<View> = {}) =>
  viewLines(facts, { ...VIEW, ...view }, size).map(({ text }) => text)

const sizesOf = ({ infos, slow, live }: Facts) =>
  [infos, slow, live!.tail, live!.moments, live!.windows].map(({ length }) => length)

test('[D20] what is remembered is of the last minute, however long one watches', () => {
  const [infos, slow, tail, moments, windows] = sizesOf(watched(150))
  assert.deepEqual([infos, slow, tail, moments], [61, 30, 30, 61])
  assert.ok(windows! > 250 && windows! <= 310, `${windows}`)
  const monitored = watched(150, { plan: { sample: false, monitor: true } })
  assert.ok(monitored.live!.bursts.length <= 310)
  assert.equal(monitored.monitor.length, 3 * monitored.live!.bursts.length)
})

test('[D20] numbers are of the last 15 s; what was slow and what was found, of the last minute', () => {
  const soon = show(watched(30))
  assert.equal(soon[0], 'redis://10.0.0.9:6379  Redis 7.0.15  master  03:00:00 UTC  q quits, ? keys')
  assert.match(soon[1]!, /^last 1[56] s {2}1 k\/s {2}CPU 50 % of a core {2}batch 1 {2}1 client {2}50 MB$/)
  assert.match(soon[2]!, /^CPU +▄{30}$/)
  assert.match(soon[4]!, /^COMMAND +KEYS +CLIENT +EXECUTING +CALLS$/)
  assert.match(soon[5]!, /^keys +user:\*:profile +reporter +9\d\.\d /)
  assert.match(soon[6]!, /^get +user:\*:profile +web +\d\.\d /)
  const slow = soon.findIndex((line) => /^WHEN +TOOK +SLOW: 14 in 30 s, 1[45]\.\d % of it +CLIENT$/.test(line))
  assert.match(soon[slow + 1]!, /^03:00:28 +300 ms +KEYS user:\*:profile +reporter$/)
  assert.ok(soon.some((line) => /^fault {4}KEYS user:\*:profile: was slow 14 times/.test(line)))
  // Healthy for half a minute: the numbers say so, and what was is still there.
  const later = show(watched(60, { healthyAt: 30 }))
  assert.match(later[2]!, /^CPU {3}▄{29,31}▁{29,31}$/)
  assert.match(later[5]!, /^get .*100\.0 /)
  assert.ok(later.some((line) => line.startsWith('fault    KEYS')))
  const long = show(watched(100, { healthyAt: 30 }))
  assert.ok(!long.some((line) => /KEYS user|fault/.test(line)), long.join('\n'))
})

test('[D20] counters that are reset begin anew', () => {
  const facts = watched(60, { resetAt: 50 })
  assert.ok(facts.infos.length <= 12)
  assert.match(show(facts)[1]!, /^last \d+ s {2}1 k\/s/)
})

test('[D21] it is sorted by calls when one asks for it, and says what the keys do', () => {
  const lines = show(watched(30), SIZE, { sort: 'calls', keys: 'shown', isPaused: true })
  assert.match(lines[0]!, /^PAUSED {2}redis/)
  assert.match(lines[3]!, /^q {2}quits/)
  assert.match(lines[6]!, /^COMMAND +KEYS +CLIENT +CALLS +EXECUTING$/)
  assert.match(lines[7]!, /^get /)
})

test('[D21] without windows there are the commands, and with MONITOR their callers', () => {
  const plain = show(watched(30, { plan: { sample: false } }))
  assert.match(plain[4]!, /^COMMAND +EXECUTING +CALLS +EACH$/)
  assert.match(plain[5]!, /^keys +9\d\.\d % +0\.\d+ \/s +300 ms$/)
  assert.ok(plain.some((line) => line === 'not seen: who asks for which keys; ask for it by --sample'))
  const monitored = show(watched(30, { plan: { sample: false, monitor: true } }))
  assert.match(monitored[5]!, /^keys /)
  assert.match(monitored[7]!, /^COMMAND +KEYS +CLIENT +SEEN +CALLS$/)
  assert.match(monitored[8]!, /^get +user:\*:profile +web +\d+ +33\.\d %$/)
})

test('[D21] before anything is known, when nothing may be seen, and when it does not answer', () => {
  const nothing = show({ ...noFacts, live: nothingYet })
  assert.deepEqual(nothing.slice(0, 2), ['redis://10.0.0.9:6379  03:00:00 UTC  q quits, ? keys', 'looking ...'])
  assert.equal(show(watched(0.5))[1], 'looking ...')
  const refused: Seen = {
    at: 0,
    slow: new Refusal('NOPERM no'),
    info: new Refusal('NOPERM no'),
    own: new OwnCount().until(0, 0),
  }
  const facts = learn(
    { ...noFacts, live: nothingYet },
    nextLook({ seconds: 9, sample: true, monitor: false }, noFacts)!,
    refused,
  )
  assert.ok(show(facts).includes('not seen: its counters; the server says: NOPERM no'))
  assert.equal(show(watched(30), SIZE, { silentSeconds: 1.9 })[1]!.slice(0, 5), 'last ')
  assert.equal(show(watched(30), SIZE, { silentSeconds: 4.2 })[1], 'no answer for 4 s')
})

test('[D21] it fits every terminal, whatever stands in names', () => {
  const hostile = {
    get: 'a\u001b[2J\u0007\u009b31m\u202e\n\r 张伟张伟张伟张伟张伟张伟张伟张伟张伟张伟张伟张伟张伟张伟张伟',
    keys: 'a\u001b[2J\u009b31m*\u202e\n',
    client: `\u001b]0;owned\u0007${'c'.repeat(300)}`,
  }
  const cases = [watched(30), watched(30, hostile), watched(30, { ...hostile, plan: { sample: false, monitor: true } })]
  for (const facts of [...cases, { ...noFacts, live: nothingYet }]) {
    const shown = { ...facts, live: { ...facts.live!, showKeys: true } }
    for (const [width, height] of [
      [80, 24],
      [40, 10],
      [200, 50],
      [60, 15],
      [20, 5],
      [5, 3],
      [1, 1],
    ] as const) {
      const lines = show(shown, { width, height }, { keys: 'shown', silentSeconds: 9 })
      assert.ok(lines.length <= height, `${width}x${height}: ${lines.length} lines`)
      for (const line of lines) {
        assert.ok(columnsOf(line) <= width, `${width}: ${JSON.stringify(line)}`)
        assert.doesNotMatch(line, /[\p{Cc}\u202e]/u)
      }
    }
  }
  const small = show(watched(30), { width: 40, height: 10 })
  assert.ok(
    small.some((line) => /^keys +user/.test(line)) && small.some((line) => /^fault/.test(line)),
    small.join('\n'),
  )
})

/** Only as far as this test needs it. */
const columnsOf = (line: string) =>
  Array.from(line).reduce((sum, letter) => sum + (/[\u4e00-\u9fff]/.test(letter) ? 2 : 1), 0)
