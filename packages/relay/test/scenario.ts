/** Reads and plays scenarios: what coturn says and what must be known of it then (scenarios/README.md). */
import assert from 'node:assert/strict'
import { finishRecording, fold } from '../src/core/allocation.ts'
import { appendPresent, appendPublish, appendScene, createBatch, gapReasons, Kind } from '../src/core/event.ts'
import type { AllocationRecord, Counters, SessionRecord } from '../src/core/record.ts'
import { restore } from '../src/core/restore.ts'
import { readTemplate, type Template } from '../src/core/session.ts'
import { createState, type State, take } from '../src/core/state.ts'
import { Ledger, openDatabase } from '../src/store/ledger.ts'
import { readGaps, readRejected, readSessions } from '../src/store/sessions.ts'

/** Midnight, the start of a bucket. */
const START = Date.UTC(2026, 0, 1)
const REALM = 'example.org'

type Words = Readonly<Record<string, string>>

interface Step {
  readonly line: number
  readonly text: string
  /** Seconds; NaN in a scenario without times. */
  readonly at: number
  readonly verb: string
  readonly words: Words
}

interface Expectation {
  readonly line: number
  readonly text: string
  readonly subject: string
  readonly words: Words
}

export interface Scenario {
  /** Servers, in the order in which they first speak. */
  readonly servers: readonly string[]
  /** The source tells servers and boots apart. */
  readonly aware: boolean
  readonly template: Template
  readonly lingerMs: number
  readonly steps: readonly Step[]
  readonly expectations: readonly Expectation[]
}

/** Every line is read or refused: a misspelt word must not make a scenario pass. */
export function readScenario(text: string): Scenario {
  const steps: Step[] = []
  const expectations: Expectation[] = []
  const given: Record<string, string> = { source: 'aware', username: '{expires}:{device}', linger: '30s' }
  for (const at of linesOf(text)) {
    const [first = '', second = '', ...rest] = at.text.split(/\s+/)
    if (first in given) given[first] = second
    else if (first === 'expect') expectations.push({ ...at, subject: second, words: readWords(rest) })
    else if (first === 'at') {
      const [verb = '', ...words] = rest
      steps.push({ ...at, at: second === '?' ? Number.NaN : secondsOf(second), verb, words: readWords(words) })
    } else assert.fail(`line ${at.line}: ${at.text}`)
  }
  const aware = given.source === 'aware'
  const lingerMs = secondsOf(given.linger!) * 1000
  const template = readTemplate(given.username!)
  assert('text' in template, given.username)
  const servers = Array.from(new Set(steps.map((step) => serverOf(step))))
  return { servers: aware ? servers : ['shared'], aware, template, lingerMs, steps, expectations }
}

/** Lines with their numbers, without comments and empty ones. */
function linesOf(text: string): { line: number; text: string }[] {
  const lines = text.split('\n').map((raw, index) => ({ line: index + 1, text: raw.replace(/(^|\s)#.*$/, '').trim() }))
  return lines.filter((one) => one.text !== '')
}

const serverOf = (step: Step) => step.words.server ?? 'a'

function readWords(words: readonly string[]): Words {
  return Object.fromEntries(
    words.map((word) => {
      const equals = word.indexOf('=')
      assert(equals > 0, `not name=value: ${word}`)
      return [word.slice(0, equals), word.slice(equals + 1)]
    }),
  )
}

/** `90s`, `5m`, `2h`, `1h30m`, `0.19s`. */
function secondsOf(text: string): number {
  const parts = Array.from(text.matchAll(/(\d+(?:\.\d+)?)(h|m|s)/g))
  assert.equal(parts.map((part) => part[0]).join(''), text, `no time: ${text}`)
  const unit = { h: 3600, m: 60, s: 1 }
  return parts.reduce((sum, [, value, name]) => sum + Number(value) * unit[name as 'h' | 'm' | 's'], 0)
}

/** `5785/5862284`: packets/bytes. */
function pair(text: string | undefined): [number, number] {
  const [packets, bytes] = (text ?? '0/0').split('/').map(Number)
  assert(packets !== undefined && bytes !== undefined && packets >= 0 && bytes >= 0, `no packets/bytes: ${text}`)
  return [packets, bytes]
}

const longId = (id: string) => id.padStart(18, '0')

/** Plays a scenario. With `restarts` the meter is killed after every event and goes on from its last commit. */
export function play(scenario: Scenario, restarts: boolean): Ledger {
  const { template, lingerMs, aware, servers } = scenario
  const ledger = new Ledger(openDatabase(':memory:'), { template, lingerMs })
  const claims = servers.map((name) => ({
    source: aware ? 'resp' : 'recording',
    name,
    bootAware: aware,
    version: null,
  }))
  const begin = () => {
    const state = createState()
    restore(state, ledger.restore(claims))
    return state
  }
  const player: Player = { scenario, state: begin(), boots: new Map(), users: new Map() }
  for (const step of scenario.steps) {
    playStep(player, step)
    if (!restarts) continue
    ledger.commit(take(player.state))
    player.state = begin()
  }
  if (scenario.steps.some((step) => Number.isNaN(step.at))) finishRecording(player.state)
  ledger.commit(take(player.state))
  return ledger
}

interface Player {
  readonly scenario: Scenario
  state: State
  readonly boots: Map<string, number>
  /** The username by server and id, so that a scenario says it once. */
  readonly users: Map<string, string>
}

const encoder = new TextEncoder()

function playStep(player: Player, step: Step): void {
  const { scenario } = player
  const server = serverOf(step)
  const stream = scenario.aware ? scenario.servers.indexOf(server) + 1 : 1
  const batch = createBatch(8, new Uint8Array(0))
  const time = Number.isNaN(step.at) ? Number.NaN : START + step.at * 1000
  if (time >= 0) appendScene(batch, Kind.tick, time)
  const boot = Number(step.words.boot ?? player.boots.get(server) ?? (scenario.aware ? 1 : 0))
  appendScene(batch, Kind.from, stream, boot)
  if (step.verb === 'gap') {
    const began = START + secondsOf(step.words.from ?? '') * 1000
    appendScene(batch, Kind.gap, began, time, gapReasons.indexOf('connection'))
  } else if (step.verb === 'restarted') {
    player.boots.set(server, boot + 1)
    appendScene(batch, Kind.restarted, boot)
  } else if (step.verb !== 'tick') {
    const { channel, message } = publication(player, step, server)
    const bytes = encoder.encode(channel + message)
    const middle = encoder.encode(channel).length
    batch.bytes = bytes
    if (step.verb === 'present') assert(appendPresent(batch, 0, middle, bytes.length), step.text)
    else assert(appendPublish(batch, 0, middle, middle, bytes.length), step.text)
  }
  fold(player.state, batch)
}

const kinds: Readonly<Record<string, string>> = {
  new: 'status',
  refreshed: 'status',
  present: 'status',
  goodbye: 'status',
  deleted: 'status',
  traffic: 'traffic',
  'traffic/peer': 'traffic/peer',
  total: 'total_traffic',
  'total/peer': 'total_traffic/peer',
}

function publication(player: Player, step: Step, server: string): { channel: string; message: string } {
  const { words, verb } = step
  const kind = kinds[verb]
  assert(kind, `line ${step.line}: nobody says ${verb}`)
  const id = words.id ?? assert.fail(`line ${step.line}: no id`)
  const user = words.user ?? player.users.get(`${server}/${id}`) ?? assert.fail(`line ${step.line}: whose?`)
  player.users.set(`${server}/${id}`, user)
  return { channel: `turn/realm/${REALM}/user/${user}/allocation/${longId(id)}/${kind}`, message: payload(verb, words) }
}

function payload(verb: string, words: Words): string {
  if (verb === 'deleted') return 'deleted'
  if (kinds[verb] !== 'status') {
    const [rcvp, rcvb] = pair(words.received)
    const [sentp, sentb] = pair(words.sent)
    return `rcvp=${rcvp}, rcvb=${rcvb}, sentp=${sentp}, sentb=${sentb}`
  }
  const lifetime = verb === 'goodbye' ? 0 : (words.lifetime ?? 600)
  const status = `${verb === 'new' ? 'new' : 'refreshed'} lifetime=${lifetime}`
  if (words.remote === undefined) return status
  return `${status}, type=UDP, local=${words.local ?? '192.0.2.1:3478'}, remote=${words.remote}, ssl=NONE, cipher=NONE`
}

/** Compares what the ledger holds with every expectation; only the words that stand there are compared. */
export function check(scenario: Scenario, ledger: Ledger): void {
  const sessions = Array.from(readSessions(ledger.db)).flat()
  const asked = { session: 0, rejected: 0, gap: 0 }
  for (const { subject, words, text, line } of scenario.expectations) {
    const where = `line ${line}: ${text}`
    if (subject === 'session') compare(words, sessionWords(sessions[asked.session++]), where)
    else if (subject === 'allocation') compare(words, allocationWords(sessions, words), where)
    else if (subject === 'rejected') compare(words, rejectedWords(ledger, asked.rejected++), where)
    else if (subject === 'gap') compare(words, gapWords(ledger, asked.gap++), where)
    else if (subject === 'usage') compare(words, usageWords(ledger, words), where)
    else if (subject === 'held') compare(words, { allocations: String(heldCount(ledger)) }, where)
    else assert.fail(where)
  }
  assert.equal(asked.session, sessions.length, 'every session must be expected')
  assert.equal(asked.rejected, readRejected(ledger.db).length, 'everything rejected must be expected')
}

function compare(expected: Words, found: Words | undefined, where: string): void {
  assert(found, `${where}: there is none`)
  for (const [name, value] of Object.entries(expected)) {
    assert(name in found, `${where}: nothing is called ${name}`)
    assert.equal(found[name], value, `${where}: ${name}`)
  }
}

const clock = (iso: string | null) => (iso === null ? 'null' : `${(Date.parse(iso) - START) / 1000}s`)
const inSeconds = (seconds: number | null) => (seconds === null ? 'null' : `${seconds}s`)

function sideWords(client: Counters, peer: Counters | null): Words {
  const both = (side: Counters | null, way: 'received' | 'sent') =>
    side === null ? 'null' : `${side[`${way}Packets`]}/${side[`${way}Bytes`]}`
  return {
    received: both(client, 'received'),
    sent: both(client, 'sent'),
    peerReceived: both(peer, 'received'),
    peerSent: both(peer, 'sent'),
  }
}

function sessionWords(session: SessionRecord | undefined): Words | undefined {
  if (session === undefined) return undefined
  return {
    ...sideWords(session.client, session.peer),
    device: session.device,
    account: String(session.account),
    class: session.class,
    quality: session.quality,
    missing: String(session.missing.packets),
    missingBytes: String(session.missing.bytes),
    state: session.state,
    end: session.end,
    revision: String(session.revision),
    started: clock(session.startedAt),
    ended: clock(session.endedAt),
    duration: inSeconds(session.durationSeconds),
    relay: inSeconds(session.relaySeconds),
    relayMax: inSeconds(session.relaySecondsMax),
    servers: session.servers.join(','),
    allocations: session.allocations.map((one) => one.id.replace(/^0+/, '')).join(','),
  }
}

/** The allocation with this id; `nth` where an id was used more than once. */
function allocationWords(sessions: readonly SessionRecord[], words: Words): Words | undefined {
  const all = sessions
    .flatMap((session) => session.allocations)
    .filter((one) => one.id === longId(words.id ?? '') && (words.server ?? one.server) === one.server)
  const one: AllocationRecord | undefined = all[Number(words.nth ?? 1) - 1]
  if (one === undefined) return undefined
  return {
    ...sideWords(one.client, one.peer),
    id: words.id ?? '',
    nth: words.nth ?? '1',
    server: String(one.server),
    boot: String(one.boot),
    user: one.username,
    end: one.end,
    quality: one.quality,
    missing: String(one.missing.packets),
    missingBytes: String(one.missing.bytes),
    unheard: `${one.unheard.packets}/${one.unheard.bytes}`,
    quirks: one.quirks.join(','),
    started: clock(one.startedAt),
    startedBefore: clock(one.startedBefore),
    goodbye: clock(one.goodbyeAt),
    ended: clock(one.endedAt),
    carries: String(one.carries),
    relay: inSeconds(one.relaySeconds),
    relayMax: inSeconds(one.relaySecondsMax),
    refreshes: String(one.refreshes),
    client: String(one.clientAddress),
  }
}

function rejectedWords(ledger: Ledger, index: number): Words | undefined {
  const one = readRejected(ledger.db)[index]
  if (one === undefined) return undefined
  return { ...sideWords(one.client, one.peer), user: String(one.username), allocations: String(one.allocations) }
}

function gapWords(ledger: Ledger, index: number): Words | undefined {
  const one = readGaps(ledger.db)[index]
  return one && { from: clock(one.beganAt), to: clock(one.endedAt), server: one.server, why: one.why }
}

function heldCount(ledger: Ledger): number {
  return Number(ledger.db.prepare('SELECT count(*) AS n FROM allocation WHERE session_id IS NULL').get()?.n)
}

/** What is measured in one bucket of one allocation: `usage id=1 side=client bucket=5m`. */
function usageWords(ledger: Ledger, words: Words): Words | undefined {
  const bucket = words.bucket === 'unknown' ? -1 : START / 1000 + secondsOf(words.bucket ?? '')
  const row = ledger.db
    .prepare(
      `SELECT u.* FROM usage u JOIN allocation a ON a.id = u.allocation_id
       WHERE a.coturn_id = ? AND side = ? AND bucket = ? AND entry = ? ORDER BY a.id`,
    )
    .get(longId(words.id ?? ''), words.side === 'peer' ? 1 : 0, bucket, Number(words.entry ?? 0))
  if (row === undefined) return undefined
  return { ...words, received: `${row.rcvp}/${row.rcvb}`, sent: `${row.sentp}/${row.sentb}` }
}
