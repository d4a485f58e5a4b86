/** Names looked up as sshd does, and asked of each resolver by itself. */
import { ask } from '../ask.ts'
import { readResolvers, reverseName } from '../core/names.ts'
import type { QueryType } from '../core/query.ts'
import type { NamesSeen, ResolverSeen } from '../core/server/facts.ts'
import { textOf } from './processes.ts'
import { run } from './run.ts'

/** As long as glibc waits for one answer. */
const RESOLVER_SECONDS = 5
/** Three resolvers, twice each, of 5 s; there and back. */
const SYSTEM_SECONDS = 40

export async function lookUpClient(address: string, signal: AbortSignal): Promise<NamesSeen> {
  const resolvers = await askEach(reverseName(address), 'PTR')
  const there = await run(['getent', 'hosts', address], { seconds: SYSTEM_SECONDS, signal })
  const name = there.output.trim().split('\n')[0]?.split(/\s+/)[1] ?? null
  const back = name === null ? undefined : await run(['getent', 'ahosts', name], { seconds: SYSTEM_SECONDS, signal })
  return {
    role: 'client',
    subject: address,
    seconds: there.seconds,
    isCut: there.isCut || back?.isCut === true,
    answer: name,
    backSeconds: back?.seconds ?? null,
    resolvers,
  }
}

export async function lookUpOwn(name: string, signal: AbortSignal): Promise<NamesSeen> {
  const resolvers = await askEach(name, 'A')
  const there = await run(['getent', 'ahosts', name], { seconds: SYSTEM_SECONDS, signal })
  const address = there.output.trim().split('\n')[0]?.split(/\s+/)[0] || null
  const back =
    address === null ? undefined : await run(['getent', 'hosts', address], { seconds: SYSTEM_SECONDS, signal })
  return {
    role: 'own',
    subject: name,
    seconds: there.seconds,
    isCut: there.isCut || back?.isCut === true,
    answer: address,
    backSeconds: back?.seconds ?? null,
    resolvers,
  }
}

function askEach(name: string, type: QueryType): Promise<ResolverSeen[]> {
  const { servers } = readResolvers(textOf('/etc/resolv.conf') ?? '')
  return Promise.all(
    servers.map(async (resolver): Promise<ResolverSeen> => {
      const { seconds, code } = await ask({ resolver, name, type }, RESOLVER_SECONDS)
      return { server: resolver, seconds: seconds ?? RESOLVER_SECONDS, code: code ?? 'silent' }
    }),
  )
}
