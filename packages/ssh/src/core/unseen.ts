/** What a log cannot tell, and how to get one that can. */
import type { Unseen } from '@fettle/report'
import type { Log } from './log.ts'
import type { Login } from './phase.ts'

const STAMPED = "ssh -vvv HOST true 2>&1 | ts -s '%.s' (ts is in the package moreutils)"

export function unseenOf(login: Login, log: Log): Unseen[] {
  return [...timesOf(login, log), ...sideOf(login), ...softwareOf(login), ...levelOf(login), ...secondOf(login)]
}

function timesOf({ us }: Login, { backwards, isWhole }: Log): Unseen[] {
  const what = 'how long anything takes'
  if (backwards !== null) {
    return [{ what, why: `the stamp of line ${backwards} is before that of an earlier line, as with ts -i; use ts -s` }]
  }
  if (us === null) return [{ what, why: `the lines have no time stamps; paste ${STAMPED}` }]
  if (isWhole)
    return [{ what: 'fractions of a second', why: `the stamps have none, each time is right to 1 s; ${STAMPED}` }]
  return []
}

function sideOf({ side }: Login): Unseen[] {
  if (side === 'client') {
    return [{ what: "the server's side", why: 'a log of ssh shows that the server waits, not for what' }]
  }
  const why = `this is a log of sshd, which begins when a client is connected; paste ${STAMPED} of the client as well`
  return [{ what: "the client's side, and the way there", why }]
}

/** Other servers have other files. */
export function softwareOf({ software, side }: Login): Unseen[] {
  if (software === null || software.startsWith('OpenSSH') || side === 'server') return []
  return [
    { what: 'where the server has its settings', why: `it is ${software}, and the files named here are OpenSSH's` },
  ]
}

function levelOf({ level, side, requested, isAccepted, isShared, phases }: Login): Unseen[] {
  if (side === 'server') return []
  if (isShared) {
    const why = 'an older connection was used (ControlMaster); paste ssh -o ControlPath=none -vvv HOST true'
    return [{ what: 'a login', why }]
  }
  const isIn = phases.some(({ kind }) => kind === 'session')
  if (level < 3) {
    return [{ what: 'phases that only -vvv shows', why: `the log is of -${'v'.repeat(Math.max(1, level))}; use -vvv` }]
  }
  const hasFirst = phases.some(({ kind }) => kind === 'first')
  if (!isIn || !isAccepted || requested !== 'shell' || hasFirst) return []
  return [{ what: 'when the shell is there', why: 'nothing in the log tells; ssh -vvv HOST true shows the rest' }]
}

function secondOf({ second }: Login): Unseen[] {
  if (second === null) return []
  const { number } = second.line
  if (second.isMixed) {
    const why = `from line ${number} on a second ssh writes into the same log, as with -J; log in to each by itself`
    return [{ what: 'which of two logins waits', why }]
  }
  return [{ what: `lines ${number} and later`, why: 'another login begins there; paste it by itself' }]
}
