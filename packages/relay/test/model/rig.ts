/** Runs the meter, strung as in serve and replay, over events; cuts, restarts and failed commits as planned. */
import type { DatabaseSync } from 'node:sqlite'
import { finishRecording, fold } from '../../src/core/allocation.ts'
import { restore } from '../../src/core/restore.ts'
import { DEFAULT_TEMPLATE, readTemplate, type Template } from '../../src/core/session.ts'
import { type Cut, createState, type Rules, type State, take } from '../../src/core/state.ts'
import { Ledger, openDatabase } from '../../src/store/ledger.ts'
import type { StreamClaim } from '../../src/store/store.ts'
import { type ModelEvent, Speaker } from './events.ts'
import { dump, type Tables } from './tables.ts'

/** What is meted: the events of some streams, and the rules' numbers. */
export interface Stream {
  readonly events: readonly ModelEvent[]
  /** The streams, numbered from 1; true: the source tells servers and boots apart. */
  readonly aware: readonly boolean[]
  readonly rules: Partial<Rules>
  readonly lingerMs: number
  /** It ends as a recording does (rule R27). */
  readonly recording: boolean
}

/** What is done after the event of each index. */
export interface Plan {
  readonly commit: (index: number) => boolean
  /** Only after a commit. */
  readonly restart: (index: number) => boolean
  /** A commit is tried here, fails, and is given again at the next one. */
  readonly fail: (index: number) => boolean
  readonly committed?: (db: DatabaseSync) => void
  /** Is given the tables before and after a commit that failed. */
  readonly refused?: (before: Tables, after: Tables) => void
}

export const inOneGo: Plan = { commit: () => false, restart: () => false, fail: () => false }
export const afterEveryEvent: Plan = { ...inOneGo, commit: () => true }

const template = readTemplate(DEFAULT_TEMPLATE) as Template

/** Runs the plan and hands the tables to `read`, before they are gone. */
export function meter<T>(stream: Stream, plan: Plan, read: (db: DatabaseSync) => T): T {
  const db = openDatabase(':memory:')
  try {
    new Run(db, stream, plan).whole()
    return read(db)
  } finally {
    db.close()
  }
}

class Run {
  readonly #db: DatabaseSync
  readonly #stream: Stream
  readonly #plan: Plan
  readonly #claims: readonly StreamClaim[]
  #ledger: Ledger
  #state: State
  #speaker = new Speaker()
  #failed: Cut | undefined
  #starts = 0

  constructor(db: DatabaseSync, stream: Stream, plan: Plan) {
    this.#db = db
    this.#stream = stream
    this.#plan = plan
    this.#claims = stream.aware.map((bootAware, i) => ({
      source: 'model',
      name: `s${i + 1}`,
      bootAware,
      version: null,
    }))
    this.#ledger = new Ledger(db, { template, lingerMs: stream.lingerMs })
    this.#state = this.#start()
  }

  /** A small table, so that it grows, and another seed for each start. */
  #start(): State {
    const state = createState(this.#stream.rules, this.#starts++ * 0x9e3779b1, 16)
    restore(state, this.#ledger.restore(this.#claims))
    return state
  }

  whole(): void {
    const { events, recording } = this.#stream
    events.forEach((event, i) => {
      this.#speaker.add(event)
      this.#after(i)
    })
    this.#fold()
    if (recording) finishRecording(this.#state)
    this.#commit()
  }

  #after(i: number): void {
    const { commit, restart, fail } = this.#plan
    if (fail(i)) {
      this.#fold()
      this.#tryInVain(i)
    } else if (commit(i)) {
      this.#fold()
      this.#commit()
      if (restart(i)) {
        this.#speaker = new Speaker()
        this.#ledger = new Ledger(this.#db, { template, lingerMs: this.#stream.lingerMs })
        this.#state = this.#start()
      }
    } else if (this.#speaker.full) this.#fold()
  }

  #fold(): void {
    this.#speaker.speak((batch) => fold(this.#state, batch))
  }

  /** As meter.ts does: the cut that failed is given again, then what has changed since. */
  #commit(): void {
    if (this.#failed !== undefined) this.#write(this.#failed)
    this.#failed = undefined
    this.#write(take(this.#state))
    this.#plan.committed?.(this.#db)
  }

  #write(cut: Cut): void {
    this.#ledger.commit(cut)
  }

  /** The commit meets an obstacle, now in its first statements and now in its last; where it meets none it succeeds. */
  #tryInVain(i: number): void {
    this.#failed ??= take(this.#state)
    const before = this.#plan.refused && dump(this.#db)
    const obstacle = obstacles[i % obstacles.length]!
    this.#db.exec(`CREATE TEMP TRIGGER full BEFORE ${obstacle} BEGIN SELECT raise(ABORT, 'disk full'); END`)
    try {
      this.#write(this.#failed)
      this.#failed = undefined
    } catch (error) {
      if ((error as Error).message !== 'disk full') throw error
      if (before !== undefined) this.#plan.refused?.(before, dump(this.#db))
    } finally {
      this.#db.exec('DROP TRIGGER full')
    }
  }
}

const obstacles = ['UPDATE ON main.stream', 'INSERT ON main.usage', 'INSERT ON main.live', 'UPDATE ON main.session']
