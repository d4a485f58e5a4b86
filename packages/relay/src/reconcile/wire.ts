/** What is to be put right, as it is sent to a running meter. */
import type { Account, Reconciliation } from '../core/reconcile.ts'
import { countersOf, isoTime, numbersOf } from '../core/record.ts'
import type { Reconciliation as Sent } from '../serve/contract.ts'

type SentAccount = Omit<Sent['completions'][number], 'allocation'>

const time = (t: number) => isoTime(Number.isNaN(t) ? null : t)
const milliseconds = (text: string | null) => (text === null ? Number.NaN : Date.parse(text))

export function writeReconciliation({ completions, additions }: Reconciliation): Sent {
  return {
    completions: completions.map(({ id, account }) => ({ allocation: id, ...writeAccount(account) })),
    additions: additions.map(({ stream, boot, path, account }) => ({
      stream,
      boot,
      path: Buffer.from(path).toString('base64'),
      ...writeAccount(account),
    })),
  }
}

export function readReconciliation({ completions, additions }: Sent): Reconciliation {
  return {
    completions: completions.map(({ allocation, ...account }) => ({ id: allocation, account: readAccount(account) })),
    additions: additions.map(({ stream, boot, path, ...account }) => ({
      stream,
      boot,
      path: Buffer.from(path, 'base64'),
      account: readAccount(account),
    })),
  }
}

function writeAccount({ openedAt, goodbyeAt, closedAt, relayTo, client, peer, closing }: Account): SentAccount {
  return {
    startedAt: time(openedAt),
    goodbyeAt: time(goodbyeAt),
    endedAt: time(closedAt),
    relayedUntil: time(relayTo),
    client: countersOf(client),
    peer: peer === null ? null : countersOf(peer),
    closing: Buffer.from(closing).toString(),
  }
}

function readAccount({ startedAt, goodbyeAt, endedAt, relayedUntil, client, peer, closing }: SentAccount): Account {
  return {
    openedAt: milliseconds(startedAt),
    goodbyeAt: milliseconds(goodbyeAt),
    closedAt: milliseconds(endedAt),
    relayTo: milliseconds(relayedUntil),
    client: numbersOf(client),
    peer: peer === null ? null : numbersOf(peer),
    closing: Buffer.from(closing),
  }
}
