/** What was seen, put beside what is known. Pure. */
import { readLog } from '../log.ts'
import type { Resolvers } from '../names.ts'
import { readLogin } from '../read.ts'
import type { TracedLine } from '../trace.ts'
import type { ClientFile, DoorSeen, Facts, NameSeen, Run, RunEnd, Settings } from './facts.ts'
import type { Look } from './look.ts'
import type { Variant } from './variants.ts'

export type Seen =
  | { readonly kind: 'settings'; readonly settings: Settings; readonly resolvers: Resolvers | null }
  | { readonly kind: 'login'; readonly text: string; readonly end: RunEnd; readonly status: number | null }
  | { readonly kind: 'door'; readonly door: DoorSeen }
  | { readonly kind: 'names'; readonly answers: readonly NameSeen[] }
  /** Null: bash told nothing. */
  | { readonly kind: 'trace'; readonly lines: readonly TracedLine[] | null }
  /** ssh does not even begin, with these options. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'files'; readonly files: readonly ClientFile[] }
  /** It was broken off, and says nothing. */
  | { readonly kind: 'nothing' }

export function learn(facts: Facts, look: Look, seen: Seen): Facts {
  if (seen.kind === 'settings' && look.kind === 'settings') {
    if (look.isBare) return { ...facts, bareSeconds: seen.settings.seconds }
    return { ...facts, settings: seen.settings, resolvers: seen.resolvers }
  }
  if (seen.kind === 'refused' && look.kind === 'login') {
    return { ...facts, untried: [...facts.untried, look.variant.says] }
  }
  if (seen.kind === 'login' && look.kind === 'login') {
    return withLogin(facts, look, seen)
  }
  if (seen.kind === 'door') return { ...facts, doors: [...facts.doors, seen.door] }
  if (seen.kind === 'names') return { ...facts, answers: [...facts.answers, ...seen.answers] }
  if (seen.kind === 'trace') return { ...facts, traced: seen.lines ?? 'failed' }
  if (seen.kind === 'files') return { ...facts, files: seen.files }
  return facts
}

type LoginLook = Extract<Look, { kind: 'login' }>
type LoginSeen = Extract<Seen, { kind: 'login' }>

/** What was broken off is told where there is nothing else. */
function withLogin(facts: Facts, { variant, round }: LoginLook, seen: LoginSeen): Facts {
  if (seen.end === 'stopped' && facts.runs.length > 0) return facts
  return { ...facts, runs: [...facts.runs, runOf(variant, round, seen)] }
}

function runOf(
  variant: Variant,
  round: number,
  { text, end, status }: Pick<Extract<Seen, { kind: 'login' }>, 'text' | 'end' | 'status'>,
): Run {
  const log = readLog(text)
  if (log === undefined) throw new Error('what is no log of ssh is no login')
  const login = readLogin(log)
  // Whatever a command's status is, it was there; ssh's own is 255 (ssh(1)).
  const isDone = end === 'over' && status !== null && status !== 255
  return { variant, round, log, login, end, isIn: isDone }
}
