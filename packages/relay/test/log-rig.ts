/** A log that is followed into a ledger, with a clock of its own, and a meter that can be killed at any piece. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fold, passTime } from '../src/core/allocation.ts'
import type { AllocationRecord } from '../src/core/record.ts'
import { restore } from '../src/core/restore.ts'
import { DEFAULT_TEMPLATE, readTemplate, type Template } from '../src/core/session.ts'
import { createState, type State, take } from '../src/core/state.ts'
import type { Pace } from '../src/ingest/log-follow.ts'
import { type LogNotice, type LogSource, logSource } from '../src/ingest/log-source.ts'
import { Ledger, openDatabase } from '../src/store/ledger.ts'
import { type GapRecord, readGaps, readSessions } from '../src/store/sessions.ts'
import { eight } from './log-world.ts'

export const START = Date.parse('2026-11-22T10:00:00Z')
export const pace: Pace = { pieceBytes: 64 * 1024, pollMs: 5, retryMs: 5 }

/** Called after each piece: `kill` ends the run there. */
type AfterPiece = (rig: LogRig) => 'kill' | 'go on'

export class LogRig {
  readonly folder: string
  readonly path: string
  readonly ledger: Ledger
  readonly notices: LogNotice[] = []
  readonly claims
  now = START
  pace = pace
  input: Readable | undefined
  state: State = createState()
  /** Pieces that brought nothing since the last one that did. */
  #idle = 0
  #cursor: string | null = null
  #source: LogSource | undefined

  constructor(test: TestContext, name = 'turn.log') {
    this.folder = mkdtempSync(join(tmpdir(), 'fettle-follow-'))
    this.path = name === '-' ? name : join(this.folder, name)
    const template = readTemplate(DEFAULT_TEMPLATE) as Template
    this.ledger = new Ledger(openDatabase(':memory:'), { template, lingerMs: 30_000 })
    this.claims = this.#make(() => 'go on').claims
    test.after(async () => {
      await this.kill()
      this.ledger.close()
      rmSync(this.folder, { recursive: true })
    })
  }

  #make(after: AfterPiece): LogSource {
    return logSource({
      path: this.path,
      pace: this.pace,
      now: () => this.now,
      on: (notice) => this.notices.push(notice),
      isFull: () => {
        const { cursor } = this.state.streams.get(1)!
        this.#idle = cursor === this.#cursor ? this.#idle + 1 : 0
        this.#cursor = cursor
        if (after(this) === 'kill') this.#source?.stop().catch(assert.fail)
        return false
      },
      ...(this.input === undefined ? {} : { input: this.input }),
    })
  }

  /** Starts a meter from what is committed. */
  async start(after: AfterPiece = () => 'go on'): Promise<void> {
    this.state = createState()
    const saved = this.ledger.restore(this.claims)
    restore(this.state, saved)
    this.#source = this.#make(after)
    await this.#source.start(saved.streams, (batch) => fold(this.state, batch))
  }

  /** What is not committed is gone. */
  async kill(): Promise<void> {
    await this.#source?.stop()
    this.#source = undefined
  }

  commit(): void {
    passTime(this.state, this.now)
    this.ledger.commit(take(this.state))
  }

  /** Waits until all that is there has been read, and commits; or until it is `over`, and commits nothing. */
  async settle(over = () => false): Promise<void> {
    // A poll that was under way may have seen the files as they were.
    for (this.#idle = 0; this.#idle < 3 && !over(); ) await wait(1)
    if (!over()) this.commit()
  }

  get status() {
    return this.#source!.status()
  }

  /** Lines, each a second after the one before. */
  write(texts: readonly string[], file = this.path): void {
    appendFileSync(file, texts.map((text) => this.line(text)).join(''))
  }

  line(text: string): string {
    this.now += 1000
    return `${new Date(this.now).toISOString().slice(0, 19)}+0000: ${text}\n`
  }

  records(): AllocationRecord[] {
    return Array.from(readSessions(this.ledger.db))
      .flat()
      .flatMap(({ allocations }) => allocations)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** Each allocation in a few words: its number, quality, end and received bytes of the client. */
  told(): string[] {
    return this.records().map(
      ({ id, quality, end, client, peer }) => `${Number(id)} ${quality} ${end} ${eight(client, peer)[1]}`,
    )
  }

  gaps(): string[] {
    return readGaps(this.ledger.db).map(({ why }: GapRecord) => why)
  }
}

/** The lines of an allocation: `new`, so many usages of 100 bytes each, and its end. */
export function call(id: number, usages: number, isOver = true): string[] {
  const session = `session ${String(id).padStart(18, '0')}: `
  const who = 'realm=<r>, username=<1:ann>'
  const usage = [`usage: ${who}, rp=1, rb=100, sp=2, sb=200`, `peer usage: ${who}, rp=3, rb=300, sp=4, sb=400`]
  const lines = [`new, ${who}, lifetime=600`, ...Array.from({ length: usages }, () => usage).flat()]
  return [...lines, ...(isOver ? [`delete: ${who}`] : [])].map((text) => session + text)
}
