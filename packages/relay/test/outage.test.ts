/** A meter that was down: what it makes of the time in which it heard nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fold } from '../src/core/allocation.ts'
import { appendScene, createBatch, Kind } from '../src/core/event.ts'
import { restore } from '../src/core/restore.ts'
import { createState, take } from '../src/core/state.ts'
import { Outlet } from '../src/ingest/outlet.ts'
import { ServerLink, type ServerOutlet } from '../src/ingest/resp-server.ts'
import { check, play, readScenario } from './scenario.ts'

const SECOND = 1000

/** Plays a scenario, then starts the meter anew at that time of it, and checks what it knows some seconds later. */
function afterOutage(text: string, seconds: number, more = 1): void {
  const scenario = readScenario(text)
  const ledger = play(scenario, false)
  const state = createState()
  const claims = scenario.servers.map((name) => ({ source: 'resp', name, bootAware: true, version: null }))
  const { streams, ...saved } = ledger.restore(claims)
  restore(state, { streams, ...saved })
  const now = Date.UTC(2026, 0, 1) + seconds * SECOND
  const out: ServerOutlet = new Outlet(
    () => now,
    () => {},
  )
  out.sink = (batch) => fold(state, batch)
  for (const stream of streams) new ServerLink(stream, out)
  const later = createBatch(1, new Uint8Array(0))
  appendScene(later, Kind.tick, now + more * SECOND)
  fold(state, later)
  ledger.commit(take(state))
  check(scenario, ledger)
  ledger.close()
}

test('[R14, R30] a meter that was down while lifetimes ran out waits one more, on every server', () => {
  const text = `
    at 0s new id=1 user=100:ann server=a
    at 0s new id=2 user=100:bob server=b
    expect session device=ann state=open end=open missing=null
    expect session device=bob state=open end=open missing=null
    expect gap from=0s to=700s server=a why=restart
    expect gap from=0s to=700s server=b why=restart`
  afterOutage(text, 700)
})

test('[R14] however long it was: a call of which nothing was heard may still be there', () => {
  const text = `
    at 0s new id=1 user=100:ann
    expect session device=ann state=open end=open missing=null`
  afterOutage(text, 100_000)
})

test('[R14] one more from the end of the outage, and no longer', () => {
  const text = `
    at 0s new id=1 user=100:ann
    expect session device=ann state=final end=expired ended=1800s missing=null`
  afterOutage(text, 700, 1800 + 61 + 30 - 700)
  assert.throws(() => afterOutage(text, 700, 1800 + 59 - 700))
})
