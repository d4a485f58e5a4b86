/** A world in which logins are known beforehand: what is tried there, and what is made of it. No ssh runs. */

import type { DoorSeen, Facts, RunEnd } from '../src/core/client/facts.ts'
import { noFacts } from '../src/core/client/facts.ts'
import { learn, type Seen } from '../src/core/client/learn.ts'
import { type Look, nextLook } from '../src/core/client/look.ts'
import { readSettings } from '../src/core/client/settings.ts'
import type { Variant } from '../src/core/client/variants.ts'
import type { Resolvers } from '../src/core/names.ts'
import type { Query } from '../src/core/query.ts'
import type { TracedLine } from '../src/core/trace.ts'
import { recordings } from './recordings.ts'

export interface World {
  /** `name value`, as `ssh -G` prints them. */
  readonly settings?: string
  readonly resolvers?: Resolvers
  /** The log of this login, with its stamps. */
  login(
    variant: Variant,
    round: number,
  ): string | { readonly text: string; readonly end: RunEnd; readonly status: number }
  /** Seconds until the answer; null: none. */
  answer?(query: Query): number | null
  /** Seconds until connected and until the first line; null: never. */
  door?(address: string): readonly [number | null, number | null]
  readonly files?: Readonly<Record<string, string>>
  readonly bareSeconds?: number
  /** What tracing the shell shows; undefined: nobody has permitted it. */
  readonly traced?: readonly TracedLine[]
  /** Names of ways to log in with which ssh does not even begin. */
  readonly refused?: readonly string[]
}

const SETTINGS = 'hostname server.test\nport 22022\nuser ops\n'
const RESOLVERS: Resolvers = { servers: ['192.0.2.53'], search: [], sources: ['files', 'dns'] }
/** More looks than any world needs. */
const LOOKS_MAX = 200

export interface Looked {
  readonly facts: Facts
  readonly looks: readonly Look[]
  /** Names of the ways that were tried, in their order. */
  readonly tried: readonly string[]
}

export function lookAt(world: World, logins = 3): Looked {
  let facts = noFacts
  const looks: Look[] = []
  for (;;) {
    const look = nextLook({ logins, trace: world.traced !== undefined }, facts)
    if (look === undefined) break
    if (looks.push(look) > LOOKS_MAX) throw new Error('there is no end to it')
    facts = learn(facts, look, seen(world, look))
  }
  const tried = looks.flatMap((look) => (look.kind === 'login' ? [look.variant.name] : []))
  return { facts, looks, tried }
}

function seen(world: World, look: Look): Seen {
  if (look.kind === 'settings') {
    const settings = readSettings(world.settings ?? SETTINGS, look.isBare ? (world.bareSeconds ?? 0.01) : 0.02)
    return { kind: 'settings', settings, resolvers: world.resolvers ?? RESOLVERS }
  }
  if (look.kind === 'login') {
    if (world.refused?.includes(look.variant.name)) return { kind: 'refused' }
    const made = world.login(look.variant, look.round)
    return { kind: 'login', ...(typeof made === 'string' ? { text: made, end: 'over' as const, status: 0 } : made) }
  }
  if (look.kind === 'trace') return { kind: 'trace', lines: world.traced ?? [] }
  if (look.kind === 'files') {
    return { kind: 'files', files: look.paths.map((path) => ({ path, text: world.files?.[path] ?? '' })) }
  }
  if (look.kind === 'door') return { kind: 'door', door: doorOf(world, look.address) }
  const answers = look.queries.map((query) => {
    const seconds = world.answer === undefined ? 0.001 : world.answer(query)
    return { ...query, seconds, code: seconds === null ? null : 'NOERROR' }
  })
  return { kind: 'names', answers }
}

function doorOf({ door }: World, address: string): DoorSeen {
  const [connected, banner] = door?.(address) ?? [0.001, 0.002]
  return { address, connected, banner, error: connected === null ? 'ETIMEDOUT' : null }
}

/** A recorded login; `factor` stretches it a little, as no two are alike. */
export function recorded(name: string, factor = 1): string {
  const text = recordings.get(name)
  if (text === undefined) throw new Error(`no case ${name}`)
  return text.replace(
    /^( *)(\d+\.\d+)/gm,
    (_, space: string, at: string) => `${space}${(Number(at) * factor).toFixed(3)}`,
  )
}

/** Quick: nothing was planted that this client came to. */
export const QUICK = 'ptr-nxdomain'
