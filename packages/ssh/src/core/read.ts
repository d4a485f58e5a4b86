/** From lines to a login: each wait between two lines belongs to exactly one phase. */
import type { Line, Log } from './log.ts'
import { CLIENT, CLIENT_MARKS, FAILURE, type Marks, type Memory, type Place, SERVER, SERVER_MARKS } from './marks.ts'
import type { Gap, Login, Phase, PhaseKind } from './phase.ts'

/** A person who writes into a log, in brackets or about "here", that something waits, and for how long. */
const REMARK = /^\s*[([#<*-].*(?:hang|stay|stuck|stop|wait|paus|delay|freez|takes)|(?:hang|stay|stuck|wait).*\bhere\b/i
const RANGE = /(\d{1,4})(?: ?(?:to|-) ?(\d{1,4}))? ?s(?:ec\w*)?\b/i
const REMARK_MAX = 200
/** What a shell shows when it can be used: readline's own mark, or what most prompts end with. */
const PROMPT = /\[\?2004h|[#$%>] ?$/
const FINISHED = /^(?:Exit status |Transferred: )/

export function readLogin({ lines, hasStreams }: Log): Login {
  const side = sideOf(lines)
  const second = side === 'client' ? secondOf(lines) : null
  const own = second === null || second.isMixed ? lines : lines.slice(0, second.line.number - 1)
  const reading = new Reading(own, side, hasStreams)
  for (const line of own) reading.step(line)
  return reading.login(side, second)
}

function sideOf(lines: readonly Line[]): Login['side'] {
  let server = 0
  for (const { text, isOutput } of lines) {
    if (isOutput) continue
    if (CLIENT.test(text)) return 'client'
    if (SERVER.test(text)) server++
  }
  return server > 0 ? 'server' : 'client'
}

/** Two logins in one file; one that begins before the other has ended is that of a jump host. */
function secondOf(lines: readonly Line[]): Login['second'] {
  let starts = 0
  let isFinished = false
  for (const line of lines) {
    if (line.isOutput) continue
    if (FINISHED.test(line.text) || FAILURE.test(line.text)) isFinished = true
    if (/^OpenSSH_\d/.test(line.text) && ++starts > 1) return { line, isMixed: !isFinished }
  }
  return null
}

/** A phase while it grows. */
type Growing = { -readonly [K in keyof Phase]: Phase[K] }

class Reading {
  readonly #memory: Memory
  readonly #marks: Marks
  readonly #isTimed: boolean
  readonly #phases = new Map<string, Growing>()
  #before: Line
  #failure: Line | null = null
  #remark: Login['remark'] = null

  constructor(lines: readonly Line[], side: Login['side'], hasStreams: boolean) {
    this.#before = lines[0]!
    this.#marks = side === 'client' ? CLIENT_MARKS : SERVER_MARKS
    this.#isTimed = lines.at(-1)!.us !== null
    this.#memory = {
      level: lines.reduce((most, { level }) => Math.max(most, level), 0),
      hasPackets: lines.some(({ text }) => text.startsWith('send packet: type')),
      hasOutput: hasStreams || lines.some(({ isOutput }) => isOutput),
      place: { kind: side === 'client' ? 'client' : 'idle', subject: '' },
      software: null,
      offered: null,
      method: '',
      mechanism: 0,
      failedAddresses: new Map(),
      proxyLine: null,
      dnsHostKeyLine: null,
      keySourceLine: null,
      hasChannel: false,
      requested: null,
      isAccepted: false,
      isShared: false,
    }
  }

  step(given: Line): void {
    const memory = this.#memory
    if (this.#isRemark(given)) return
    // Where both streams are one in the log, what runs on the other side writes all that is no debug line.
    const isWritten = RUNNING.has(memory.place.kind) && given.level === 0 && !this.#marks.end.test(given.text)
    const line = isWritten ? { ...given, isOutput: true } : given
    const next = this.#next(line)
    const { place } = memory
    const isUnseenUse = next?.kind === 'close' && !memory.isAccepted && isLate(place.kind) && memory.level === 1
    this.#wait(line, isUnseenUse ? { kind: 'use', subject: '' } : place)
    if (next !== undefined) memory.place = next
    const phase = this.#phase(line)
    phase.last = line
    const isOver = phase.kind === 'use' || phase.kind === 'close'
    if (line.level === 0 && !line.isOutput && !isOver && FAILURE.test(line.text)) this.#failure ??= line
    this.#before = line
  }

  /** The wait for this line belongs to where one was. */
  #wait(to: Line, place: Place): void {
    if (!this.#isTimed) return
    const from = this.#before
    if (to === from) return
    const us = (to.us ?? 0) - (from.us ?? 0)
    const phase = this.#phase(from, place)
    phase.us! += us
    if (us > (phase.longest?.us ?? 0)) phase.longest = { us, from, to } satisfies Gap
  }

  #phase(line: Line, place: Place = this.#memory.place): Growing {
    const key = `${place.kind} ${place.subject}`
    const known = this.#phases.get(key)
    if (known !== undefined) return known
    const made = { ...place, us: this.#isTimed ? 0 : null, first: line, last: line, longest: null }
    this.#phases.set(key, made)
    return made
  }

  #next(line: Line): Place | undefined {
    const memory = this.#memory
    const { kind } = memory.place
    if (line.isOutput || /^channel \d+: rcvd ext data/.test(line.text)) return this.#output(line)
    if (isLate(kind) && this.#marks.end.test(line.text)) return { kind: 'close', subject: '' }
    // What runs on the other side may write anything.
    if (kind === 'close' || RUNNING.has(kind) || !this.#marks.any.test(line.text)) return undefined
    for (const { pattern, to } of this.#marks.all) {
      const match = pattern.exec(line.text)
      if (match === null) continue
      const next = typeof to === 'string' ? to : to(memory, match, line)
      return typeof next === 'string' ? { kind: next, subject: '' } : next
    }
    return undefined
  }

  /** The first byte has come; a prompt means that the shell is there. */
  #output({ text }: Line): Place | undefined {
    const { place, requested } = this.#memory
    if (place.kind !== 'first' && place.kind !== 'shell') return undefined
    return { kind: requested === 'shell' && PROMPT.test(text) ? 'use' : 'shell', subject: '' }
  }

  /** In a log without times, what a person has written between the lines. */
  #isRemark(line: Line): boolean {
    const { level, isOutput, text } = line
    if (this.#isTimed || level > 0 || isOutput || text.length > REMARK_MAX || !REMARK.test(text)) return false
    const match = RANGE.exec(text)
    if (match === null || line === this.#before) return false
    const [, least, most = least] = match
    const range = [Number(least), Number(most)] as const
    this.#remark ??= { line, from: this.#before, phase: this.#phase(this.#before), range }
    return true
  }

  login(side: Login['side'], second: Login['second']): Login {
    const { software, offered, failedAddresses, proxyLine, dnsHostKeyLine, keySourceLine } = this.#memory
    const { level, requested, isAccepted, isShared } = this.#memory
    // A mechanism that only the failure of the one before has begun has not been tried.
    const phases = Array.from(this.#phases.values()).filter(
      ({ kind, subject, us }) => kind !== 'gssapi' || subject === 'mechanism 1' || (us ?? 0) > 0,
    )
    return {
      ...{ side, phases, level, software, offered, failedAddresses },
      ...{ proxyLine, dnsHostKeyLine, keySourceLine, requested, isAccepted, isShared, second },
      us: this.#isTimed ? (this.#before.us ?? 0) : null,
      failure: this.#failure,
      reached: this.#phase(this.#before),
      remark: this.#remark,
    }
  }
}

const RUNNING: ReadonlySet<PhaseKind> = new Set(['first', 'shell', 'use'])
const LATE: ReadonlySet<PhaseKind> = new Set(['session', 'channel', 'request', 'xauth', 'first', 'shell', 'use'])
/** Whether somebody is logged in by then. */
const isLate = (kind: PhaseKind) => LATE.has(kind)
