/** Reading a log's lines quickly, and going on from what was remembered, comes to the same as reading each anew. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Batch, Kind } from '../src/core/event.ts'
import { LogReader } from '../src/ingest/log.ts'
import { Recorder } from '../src/ingest/recorder.ts'
import { fronts } from './log-world.ts'

/** Events as text, each with its boot and time. What a status says beyond its lifetime nobody looks at in a log. */
class Told {
  readonly events: string[] = []
  #boot = 0
  #t = Number.NaN

  readonly hear = (batch: Batch) => {
    for (let i = 0; i < batch.length; i++) this.#one(batch, i)
  }

  #one({ bytes, kind, pathStart, pathEnd, textStart, textEnd, n }: Batch, i: number): void {
    const k = kind[i]!
    const [a, b, c, d] = n.subarray(i * 4, i * 4 + 4) as unknown as [number, number, number, number]
    const latin1 = (start: number, end: number) => Buffer.from(bytes.subarray(start, end)).toString('latin1')
    const isLifetime = k === Kind.opened || k === Kind.refreshed
    const isCounted = k === Kind.traffic || k === Kind.trafficPeer
    if (k === Kind.tick) this.#t = a
    else if (k === Kind.from) this.#boot = b
    else if (k === Kind.gap) this.#tell('gap', a, b, c)
    else if (k === Kind.malformed) this.#tell('malformed')
    else {
      const text = k === Kind.closing ? latin1(textStart[i]!, textEnd[i]!) : ''
      const numbers = isCounted ? [a, b, c, d] : isLifetime ? [a] : []
      this.#tell(k, latin1(pathStart[i]!, pathEnd[i]!), text, ...numbers)
    }
  }

  #tell(...what: unknown[]): void {
    this.events.push([this.#boot, this.#t, ...what].join(' '))
  }
}

/** `anew`: a reader that knows no front yet for each line, with what is remembered as it is kept with the place. */
function read(lines: readonly string[], anew: boolean): string[] {
  const told = new Told()
  const out = new Recorder(1, told.hear)
  let reader = new LogReader(out)
  for (const text of lines) {
    const bytes = Buffer.from(`<<<${text}>>>`, 'latin1')
    if (anew) reader = new LogReader(out, JSON.parse(JSON.stringify(reader.memory)))
    reader.read(bytes, 3, bytes.length - 3, true, Date.parse('2026-11-24T12:00:00Z'))
  }
  out.flush()
  return told.events
}

const second = 'session 000000000000000002: usage: realm=<r>, username=<v'
const letters = [...'a:/-é<>=, 09[]%', 'session ', 'usage: ', ', rp=1, rb=2', '>, username=<', '>, lifetime=5', second]
const name = fc.array(fc.constantFrom(...letters), { maxLength: 6 }).map((parts) => parts.join(''))
const number = fc.oneof(
  fc.nat(70_000).map(String),
  fc.constantFrom(
    '',
    '0',
    '007',
    '9007199254740991',
    '9007199254740992',
    '123456789012345',
    '12345678901234567890',
    '-1',
  ),
)
const id = fc.constantFrom(
  '000000000000000001',
  '1000000000000000010',
  '00000000000000000001',
  '0001',
  '012345678901234567x',
)
const who = fc.tuple(name, name).map(([realm, user]) => `realm=<${realm}>, username=<${user}>`)
const counters = fc.tuple(number, number, number, number).map(([a, b, c, d]) => `rp=${a}, rb=${b}, sp=${c}, sb=${d}`)
const tail = fc.constantFrom('', '', '', ' ', '\r', ', cipher=TLS_AES_256_GCM_SHA384, method=TLSv1.3', 'x')
const body = fc.oneof(
  fc
    .tuple(fc.constantFrom('usage', 'peer usage', 'delete', 'new'), who, counters)
    .map((all) => `${all[0]}: ${all[1]}, ${all[2]}`),
  fc
    .tuple(fc.constantFrom('new', 'refreshed', 'usage'), who, number)
    .map((all) => `${all[0]}, ${all[1]}, lifetime=${all[2]}`),
  who.map((names) => `delete: ${names}`),
  fc
    .tuple(name, name)
    .map(([realm, user]) => `realm <${realm}> user <${user}>: incoming packet REFRESH processed, success`),
  fc.constantFrom(
    'peer 192.0.2.9:1 lifetime updated: 600',
    'peer [::1]:9 lifetime updated: 600',
    'peer usage',
    'peer',
    '',
  ),
  name.map(
    (user) =>
      `closed (2nd stage), user <${user}> realm <r> origin <o>, local 1.1.1.1:1, remote 2.2.2.2:2, reason: none`,
  ),
)
const line = fc
  .record({
    front: fc.constantFrom(...fronts),
    process: fc.nat(2),
    second: fc.nat(3),
    id,
    body,
    tail,
    ms: fc.nat(999),
    noDigit: fc.constantFrom('', '', '', 'x'),
  })
  .chain((one) => {
    const front = one.front
      .front(one.process, one.second)
      .replace('.123', `.${one.noDigit}${one.ms}`.padEnd(4, '0').slice(0, 4))
    const level = fc.constantFrom('', '', '', 'INFO: ', ': ')
    return level.map((more) => `${front}${more}session ${one.id}: ${one.body}${one.tail}`)
  })
  .chain((text) =>
    fc.oneof(
      { weight: 8, arbitrary: fc.constant(text) },
      { weight: 1, arbitrary: fc.nat(text.length).map((at) => text.slice(at)) },
      { weight: 1, arbitrary: fc.nat(text.length).map((at) => text.slice(0, at)) },
    ),
  )

test('[R27] lines are read alike whether their beginning is known or not', () => {
  const property = fc.property(fc.array(line, { minLength: 2, maxLength: 12 }), (lines) => {
    assert.deepEqual(read(lines, false), read(lines, true), lines.join('\n'))
  })
  fc.assert(property, { numRuns: 500 })
})

test('[R27] what is read quickly is read rightly', () => {
  const at = '2026-11-22T10:00:00.500+0000 INFO session 000000000000000001: '
  const names = 'realm=<r>, username=<u>'
  const events = read(
    [`new, ${names}, lifetime=600`, `usage: ${names}, rp=1, rb=2, sp=3, sb=4`, `delete: ${names}`].map(
      (text) => at + text,
    ),
    false,
  )
  const where = `0 ${Date.parse('2026-11-22T10:00:00.500Z')}`
  const path = 'turn/realm/r/user/u/allocation/000000000000000001'
  assert.deepEqual(events, [
    `${where} ${Kind.opened} ${path}  600`,
    `${where} ${Kind.traffic} ${path}  1 2 3 4`,
    `${where} ${Kind.deleted} ${path} `,
    `${where} ${Kind.complete} ${path} `,
  ])
})
