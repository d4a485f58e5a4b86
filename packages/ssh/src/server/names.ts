/** Names looked up as sshd does, and asked of each resolver by itself. */
import { Resolver } from 'node:dns/promises'
import type { NamesSeen, ResolverSeen } from '../core/server/facts.ts'
import { readResolvConf, reverseName } from '../core/server/sockets.ts'
import { textOf } from './processes.ts'
import { run } from './run.ts'

/** As long as glibc waits for one answer. */
const RESOLVER_MS = 5000
/** Three resolvers, twice each, of 5 s; there and back. */
const SYSTEM_SECONDS = 40

/** Codes of refusals that are answers all the same (c-ares). */
const SILENT = new Set(['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED'])

export async function lookUpClient(address: string, signal: AbortSignal): Promise<NamesSeen> {
  const resolvers = await askEach((resolver) => resolver.resolvePtr(reverseName(address)))
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
  const resolvers = await askEach((resolver) => resolver.resolve4(name))
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

function askEach(ask: (resolver: Resolver) => Promise<unknown>): Promise<ResolverSeen[]> {
  const { servers } = readResolvConf(textOf('/etc/resolv.conf') ?? '')
  return Promise.all(
    servers.map(async (server): Promise<ResolverSeen> => {
      const began = performance.now()
      const code = await answerOf(server, ask)
      return { server, seconds: (performance.now() - began) / 1000, code }
    }),
  )
}

async function answerOf(server: string, ask: (resolver: Resolver) => Promise<unknown>): Promise<string | null> {
  try {
    const resolver = new Resolver({ timeout: RESOLVER_MS, tries: 1 })
    resolver.setServers([server.includes(':') ? `[${server.replace(/%.*$/, '')}]` : server])
    await ask(resolver)
    return null
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    return SILENT.has(code) ? 'silent' : code
  }
}
