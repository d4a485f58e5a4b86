/** What a look adds to what is known. */
import { readClients } from './clients.ts'
import type { Facts, Live, Window } from './facts.ts'
import { readInfos } from './info.ts'
import { type Look, nothingYet, type Seen } from './look.ts'
import { readMonitor } from './monitor.ts'
import { type Answer, plainReply, Refusal } from './resp.ts'
import { type Settings, settingsOf } from './settings.ts'
import { entriesOf, type SlowEntry } from './slowlog.ts'

export function learn(facts: Facts, look: Look, seen: Seen): Facts {
  const live = facts.live ?? nothingYet
  const isFirst = live.looks === 0
  const { info, clients, slow, window } = seen
  const settings = seen.settings === undefined ? facts.settings : settingsOf(seen.settings.flatMap(wordsOf))
  const infos = typeof info === 'string' ? readInfos(info) : []
  const log = readLog(live, slow, isFirst ? settings : null)
  const sampled = look.window === null ? null : windowOf(log.live, look.window, window ?? null)
  return {
    infos: [...facts.infos, ...infos],
    clients: typeof clients === 'string' ? readClients(clients) : facts.clients,
    settings,
    slow: [...facts.slow, ...log.slow, ...(sampled?.slow ?? [])],
    monitor: seen.lines === undefined ? facts.monitor : facts.monitor.concat(readMonitor(seen.lines.join('\n'))),
    live: {
      ...(sampled?.live ?? log.live),
      looks: live.looks + 1,
      isOver: !isFirst && look.clients,
      moments: infos.length > 0 ? [...live.moments, { at: seen.at, own: seen.own }] : live.moments,
      bursts: look.monitor === null ? live.bursts : [...live.bursts, look.monitor.milliseconds],
      refused: isFirst ? refusals(look, seen) : live.refused,
    },
  }
}

/** What came into the slow log since the last look; in the first look (`settings`), what was there before. */
function readLog(
  live: Live,
  answer: Answer,
  settings: Settings | null,
): { readonly live: Live; readonly slow: SlowEntry[] } {
  const entries = entriesOf(plainReply(answer)).sort((a, b) => a.id - b.id)
  const newest = Math.max(live.newest, ...entries.map(({ id }) => id))
  if (settings !== null) {
    // Windows of an earlier look leave what is not slow in it.
    const threshold = Number(settings.get('slowlog-log-slower-than') ?? 0)
    const before = entries.filter(({ seconds }) => seconds * 1e6 >= threshold)
    return { live: { ...live, newest, before }, slow: [] }
  }
  const fresh = entries.filter(({ id }) => id > live.newest)
  // SLOWLOG RESET leaves no hole: what it took away cannot be told from what never was.
  const lost = fresh.length === 0 ? 0 : newest - live.newest - fresh.length
  return { live: { ...live, newest, lost: live.lost + lost }, slow: fresh.filter((one) => !isOwn(live, one)) }
}

/** What takes longer than the old threshold is in the slow log in any case, and belongs to what is known exactly. */
function windowOf(live: Live, { threshold }: { readonly threshold: string }, answer: Answer) {
  if (answer instanceof Refusal) return { live: { ...live, cannotSample: answer.text }, slow: [] }
  const all = entriesOf(plainReply(answer)).sort((a, b) => a.id - b.id)
  const fresh = all.filter(({ id }) => id > live.newest)
  const newest = Math.max(live.newest, ...fresh.map(({ id }) => id))
  const own = fresh.filter((one) => isOwn(live, one)).length
  const others = fresh.filter((one) => !isOwn(live, one))
  const isSlow = ({ seconds }: SlowEntry) => Number(threshold) >= 0 && seconds * 1e6 >= Number(threshold)
  const window: Window = { entries: others, logged: newest - live.newest - own }
  return { live: { ...live, newest, windows: [...live.windows, window] }, slow: others.filter(isSlow) }
}

/** Before Redis 4.0 the log names no client: our own commands are known by what they are. */
function isOwn({ name }: Live, { clientName, client, words }: SlowEntry): boolean {
  return client === null ? /^(?:config|slowlog|wait|info)$/i.test(words[0]!) : clientName === name
}

const wordsOf = (answer: Answer) => (Array.isArray(answer) ? answer.map(String) : [])

function refusals({ settings, clients, info }: Look, seen: Seen): { what: string; why: string }[] {
  const asked: readonly (readonly [string, Answer | undefined])[] = [
    ['its counters', info ? seen.info : undefined],
    ['its connections', clients ? seen.clients : undefined],
    ['its settings', settings ? seen.settings?.[0] : undefined],
    ['slow commands', seen.slow],
  ]
  return asked.flatMap(([what, answer]) => (answer instanceof Refusal ? [{ what, why: answer.text }] : []))
}
