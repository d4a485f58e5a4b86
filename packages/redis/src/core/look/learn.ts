/** What a look adds to what is known. */

import type { Facts, Live, Window } from '../facts.ts'
import { readClients } from '../read/clients.ts'
import { readInfos } from '../read/info.ts'
import { readMonitor } from '../read/monitor.ts'
import { type Answer, plainReply, Refusal } from '../read/resp.ts'
import { settingsOf, slowSeconds } from '../read/settings.ts'
import { entriesOf, type SlowEntry } from '../read/slowlog.ts'
import { type Look, nothingYet, type Sampling, type Seen } from './look.ts'

export function learn(facts: Facts, look: Look, seen: Seen): Facts {
  const live = facts.live ?? nothingYet
  const isFirst = live.looks === 0
  const { info, clients, slow, window } = seen
  const settings = seen.settings === undefined ? facts.settings : settingsOf(seen.settings.flatMap(wordsOf))
  const listed = typeof clients === 'string' ? readClients(clients) : facts.clients
  const infos = typeof info === 'string' ? readInfos(info) : []
  const log = readLog(live, slow, isFirst)
  const sampled = look.window === null ? null : windowOf(log.live, look.window, seen.at, window ?? null)
  const known = sampled?.live ?? log.live
  const tail = [...log.tail, ...(sampled?.tail ?? [])]
  const threshold = slowSeconds(settings)
  const lines = seen.lines === undefined ? [] : readMonitor(seen.lines.join('\n'))
  return {
    infos: [...facts.infos, ...infos],
    clients: listed,
    settings,
    slow: [...facts.slow, ...tail.filter(({ seconds }) => seconds >= threshold)],
    monitor: lines.length === 0 ? facts.monitor : facts.monitor.concat(lines),
    live: {
      ...known,
      tail: [...live.tail, ...tail],
      clientsBefore: isFirst ? listed : live.clientsBefore,
      looks: live.looks + 1,
      isOver: look.isLast,
      moments:
        infos.length > 0 ? [...live.moments, { at: seen.at, own: seen.own, newest: known.newest }] : live.moments,
      bursts:
        look.monitor === null
          ? live.bursts
          : [...live.bursts, { at: seen.at, milliseconds: look.monitor.milliseconds, lines: lines.length }],
      refused: isFirst ? refusals(look, seen) : live.refused,
    },
  }
}

interface Told {
  readonly live: Live
  readonly tail: readonly SlowEntry[]
}

const inOrder = (answer: Answer) => entriesOf(plainReply(answer)).sort((a, b) => a.id - b.id)

/** What came into the slow log since the last look; in the first look, what was there before. */
function readLog(live: Live, answer: Answer, isFirst: boolean): Told {
  const entries = inOrder(answer)
  const newest = Math.max(live.newest, ...entries.map(({ id }) => id))
  if (isFirst) return { live: { ...live, newest, before: entries }, tail: [] }
  const fresh = entries.filter(({ id }) => id > live.newest)
  // SLOWLOG RESET leaves no hole: what it took away cannot be told from what never was.
  const lost = fresh.length === 0 ? 0 : newest - live.newest - fresh.length
  return { live: { ...live, newest, lost: live.lost + lost }, tail: fresh.filter((one) => !isOwn(live, one)) }
}

/**
 * The window begins behind our own command that opens it, which is the first to be logged in it. Where more came than
 * the log holds, that one is gone, and all that is left came after it.
 */
function windowOf(live: Live, { between }: Sampling, at: number, answer: Answer): Told {
  if (answer instanceof Refusal) return { live: { ...live, cannotSample: answer.text }, tail: [] }
  const fresh = inOrder(answer).filter(({ id }) => id > live.newest)
  const newest = Math.max(live.newest, ...fresh.map(({ id }) => id))
  const opened = fresh.find((one) => isOwn(live, one) && opens(one))?.id ?? live.newest
  const others = fresh.filter((one) => !isOwn(live, one))
  const entries = others.filter(({ id }) => id > opened)
  const own = fresh.filter((one) => one.id > opened && isOwn(live, one)).length
  const window: Window = { at, entries, logged: newest - opened - own }
  const tailSeconds = Number(between) / 1e6
  const tail = others.filter(({ seconds }) => seconds >= tailSeconds)
  return { live: { ...live, newest, tailSeconds, windows: [...live.windows, window] }, tail }
}

const opens = ({ words }: SlowEntry) => /^config set \S+ 0$/i.test(words.join(' '))

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
