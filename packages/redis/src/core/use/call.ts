/** A command that somebody has called, as far as the slow log tells. */

import { isContainer } from '../load.ts'
import { hostOf } from '../read/clients.ts'
import type { SlowEntry } from '../read/slowlog.ts'
import { keyOf } from './key.ts'

export interface Call {
  /** As INFO counts it, in lower case: `get`, `config|get`. */
  readonly command: string
  readonly pattern: string
  /** Of what a script has called, the script's caller. */
  readonly client: string
  readonly seconds: number
  /** Without what a script or a transaction has called, which are calls themselves. */
  readonly ownSeconds: number
}

/** As the slow log names the client of what a script calls (redis 7.0.15: `?:0`). */
export const SCRIPT = '?'

export function seenCall({ words, seconds, client, clientName }: SlowEntry, showKeys: boolean): Call {
  return {
    command: nameOf(words),
    pattern: keyOf(words, showKeys),
    client: whoOf(client, clientName),
    seconds,
    ownSeconds: seconds,
  }
}

const WITH_SUBCOMMANDS: ReadonlySet<string> = new Set(
  'acl client cluster command config function latency memory module object pubsub script slowlog xgroup xinfo'.split(
    ' ',
  ),
)

function nameOf([command = '', subcommand]: readonly string[]): string {
  const name = command.toLowerCase()
  return WITH_SUBCOMMANDS.has(name) && subcommand !== undefined ? `${name}|${subcommand.toLowerCase()}` : name
}

/** A client's name, else its host: its port is another one each time. */
const whoOf = (client: string | null, name: string | null) => name ?? hostOf(client ?? '')

/** Entries that follow each other. What a script or a transaction has run stands right before it. */
export function callsOf(entries: readonly SlowEntry[], showKeys: boolean): Call[] {
  const calls: Call[] = []
  for (const entry of entries) {
    const call = seenCall(entry, showKeys)
    let inside = 0
    for (let i = calls.length - 1; i >= 0 && isInside(calls[i]!, call, inside); i--) {
      inside += calls[i]!.seconds
      calls[i] = { ...calls[i]!, client: call.client }
    }
    calls.push({ ...call, ownSeconds: call.seconds - inside })
  }
  return calls
}

function isInside({ command, client, seconds }: Call, container: Call, inside: number): boolean {
  if (!isContainer(container.command) || inside + seconds > container.seconds) return false
  return container.command === 'exec' ? client === container.client && command !== 'multi' : client === SCRIPT
}

/** As it stands in a report: `GET user:*`, with `from web` where somebody is known. */
export function callText({ command, pattern, client = '' }: Pick<Call, 'command' | 'pattern'> & Partial<Call>): string {
  const parts = [command.toUpperCase(), pattern, client === '' ? '' : `from ${client}`]
  return parts.filter((part) => part !== '').join(' ')
}

/** What stands in a finding's code for a command: its name may be anything. */
export const codeFor = (command: string) => (/^[a-z]+$/.test(command) ? command : 'command')
