/** `fettle redis watch`: looks at a Redis until it is told to stop, and shows what burns its CPU right now. */
import { type Command, EXIT, type Io, type Screen } from '@fettle/check'
import { addressArgument, type Looking, lookFlags, openLook, readTarget, type Target } from './check.ts'
import type { Facts } from './core/facts.ts'
import { learn } from './core/look/learn.ts'
import { nextLook } from './core/look/look.ts'
import { recent } from './core/look/recent.ts'
import { MEMORY_SECONDS, type Size, type View, viewLines } from './core/watch/watch-view.ts'
import { Door } from './door.ts'

/** Whoever watches a server that hangs wants to see it come back. */
const ANSWER_MS = 60_000

export const redisWatch: Command<Target> = {
  name: 'redis watch',
  summary: 'show what burns the CPU of a Redis right now, until q',
  arguments: [addressArgument],
  flags: [...lookFlags, { name: 'data', value: 'folder', says: 'where it is kept what a setting was (FETTLE_DATA)' }],
  examples: ['fettle redis watch redis://127.0.0.1:6379', 'fettle redis watch 127.0.0.1 --sample'],
  read: readTarget,
  async run(target, io) {
    const { address, keys, data = io.data } = target
    const looking = await openLook(new Door(address, keys, io), data, target, ANSWER_MS)
    const over = new AbortController()
    const signal = AbortSignal.any([io.signal, over.signal])
    const display = new Display(looking.beginning, target.address.name, () => over.abort())
    const both = [look(looking, target, signal, (facts) => display.take(facts)), display.show(io, signal)]
    const began = performance.now()
    try {
      await Promise.all(both)
    } finally {
      over.abort()
      await Promise.allSettled(both)
      await looking.close()
      io.progress('')
    }
    const seconds = Math.round((performance.now() - began) / 1000)
    await io.write(`${target.address.name} was watched for ${seconds} s; its settings are as they were.\n`)
    return EXIT.nothing
  },
}

/** Further behind than this, as after a long command, nothing is caught up on. */
const LATE_SECONDS = 1
/** Who is connected: every so many looks, since it costs more than the rest. */
const LOOKS_A_CLIENTS = 75

async function look(looking: Looking, target: Target, signal: AbortSignal, take: (facts: Facts) => void) {
  const plan = { ...target, seconds: Infinity }
  let facts = looking.beginning
  let late = 0
  for (let looks = 0; !signal.aborted; looks++) {
    const next = nextLook(plan, facts)!
    const asked = { ...next, clients: looks % LOOKS_A_CLIENTS === 0, at: next.at + late }
    const seen = await looking.observe(asked)
    if (seen.at - asked.at > LATE_SECONDS) late = seen.at - next.at
    facts = recent(learn(facts, asked, seen), MEMORY_SECONDS)
    take(facts)
  }
}

/** Where nothing can be drawn upon, such as in a file: a picture this often, each below the last one. */
const FILE_SECONDS = 5
const FILE_HEIGHT = 24

class Display {
  readonly #address: string
  readonly #quit: () => void
  #facts: Facts
  /** What is shown instead while it is held still. */
  #held: { readonly facts: Facts; readonly now: number } | undefined
  #heardAt = performance.now()
  #sort: View['sort'] = 'executing'
  #keys: View['keys'] = 'hinted'
  #wake = () => {}

  constructor(facts: Facts, address: string, quit: () => void) {
    this.#facts = facts
    this.#address = address
    this.#quit = quit
  }

  take(facts: Facts): void {
    this.#facts = facts
    this.#heardAt = performance.now()
  }

  async show(io: Io, signal: AbortSignal): Promise<void> {
    const screen = io.screen((key) => this.#hear(key))
    signal.addEventListener('abort', () => this.#wake())
    try {
      if (screen === undefined) await this.#print(io, signal)
      else await this.#draw(screen, signal)
    } finally {
      screen?.close()
      io.progress('waiting for its last answer')
    }
  }

  async #draw(screen: Screen, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      screen.show(this.#lines(screen.size, this.#keys))
      await this.#rest(1)
    }
  }

  async #print(io: Io, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#rest(FILE_SECONDS)
      if (signal.aborted) return
      const lines = this.#lines({ width: io.width, height: FILE_HEIGHT }, null)
      await io.write(`${lines.map(({ text }) => text).join('\n')}\n\n`)
    }
  }

  #lines(size: Size, keys: View['keys']) {
    const { facts, now } = this.#held ?? { facts: this.#facts, now: Date.now() }
    const view: View = {
      address: this.#address,
      now,
      silentSeconds: (performance.now() - this.#heardAt) / 1000,
      sort: this.#sort,
      isPaused: this.#held !== undefined,
      keys,
    }
    return viewLines(facts, view, size)
  }

  #hear(key: string): void {
    if (key === 'q') this.#quit()
    if (key === 'p') this.#held = this.#held === undefined ? { facts: this.#facts, now: Date.now() } : undefined
    if (key === 's') this.#sort = this.#sort === 'calls' ? 'executing' : 'calls'
    if (key === '?') this.#keys = this.#keys === 'shown' ? 'hinted' : 'shown'
    this.#wake()
  }

  /** Until then, or until there is something else to be shown. */
  async #rest(seconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, seconds * 1000)
    this.#wake = resolve
    await promise
    clearTimeout(timer)
  }
}
