/** Requests over HTTP: redirects, credentials, what was received, and connections that fall silent. */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestTls, Agent as TlsAgent } from 'node:https'
import { getCACertificates } from 'node:tls'
import { Unseen } from '@fettle/check'

export const PARALLEL = 6
const MAX_REDIRECTS = 5

/** A request that failed on its way, and may go well when it is made again. */
export class Cut extends Error {}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: IncomingMessage
  /** Where it came from, after redirects. */
  readonly url: URL
}

export interface Asking {
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** A connection from which nothing comes for so long is given up. */
  readonly idleMilliseconds: number
}

/** As it may be shown: without user, password, query and fragment, which may hold secrets. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}${url.search === '' ? '' : '?...'}`
}

/** What fails in the same way however often it is tried. */
const FINAL: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such host; look at its name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by nobody whom this machine trusts',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by nobody whom this machine trusts',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by nobody whom this machine trusts',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself only',
}
const UNTRUSTED = /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/

export class Requests {
  readonly #asking: Asking
  /** The only place that is told what was given to get the archive. */
  readonly #home: URL
  readonly #secrets: Readonly<Record<string, string>>
  readonly #plain = new Agent({ keepAlive: true, maxSockets: PARALLEL })
  #tls = new TlsAgent({ keepAlive: true, maxSockets: PARALLEL })
  #hasSystemTrust = false
  /** Redirects are requests as well. */
  count = 0
  /** Of bodies. */
  bytes = 0

  constructor(home: URL, asking: Asking) {
    this.#asking = asking
    this.#home = home
    this.#secrets = secrets(home, asking.headers)
  }

  close(): void {
    this.#plain.destroy()
    this.#tls.destroy()
  }

  /** Follows redirects. Throws Cut, or Unseen where trying again does not help. */
  async get(start: URL, headers: Readonly<Record<string, string>>): Promise<Answer> {
    let url = start
    let isHome = isSameParty(this.#home, start)
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const answer = await this.#once(url, { ...(isHome ? this.#secrets : {}), ...headers })
      const { location } = answer.headers
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer
      answer.body.destroy()
      const next = URL.parse(location, url)
      if (next === null || !/^https?:$/.test(next.protocol)) throw new Unseen(`${shownUrl(url)}: redirects to no URL`)
      if (url.protocol === 'https:' && next.protocol === 'http:') {
        throw new Unseen(`${shownUrl(url)}: redirects to ${shownUrl(next)}, which is not encrypted; it is not followed`)
      }
      // Nor is it told to those whom another place leads back to it.
      isHome &&= isSameParty(url, next)
      url = next
    }
    throw new Unseen(`${shownUrl(start)}: redirects more than ${MAX_REDIRECTS} times`)
  }

  async #once(url: URL, headers: Readonly<Record<string, string>>): Promise<Answer> {
    try {
      return await this.#send(url, headers)
    } catch (error) {
      this.#asking.signal.throwIfAborted()
      const code = (error as NodeJS.ErrnoException).code ?? ''
      if (UNTRUSTED.test(code) && !this.#hasSystemTrust) {
        // Reading what the system trusts takes longer than most archives do, and is rarely needed.
        this.#trustSystem()
        return this.#once(url, headers)
      }
      const reason = FINAL[code]
      if (reason !== undefined) throw new Unseen(`${shownUrl(url)}: ${reason}`)
      throw error instanceof Cut ? error : new Cut(reasonOf(error as NodeJS.ErrnoException))
    }
  }

  #trustSystem(): void {
    this.#hasSystemTrust = true
    this.#tls.destroy()
    const ca = [...getCACertificates('default'), ...getCACertificates('system')]
    this.#tls = new TlsAgent({ keepAlive: true, maxSockets: PARALLEL, ca })
  }

  #send(url: URL, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const { signal, idleMilliseconds } = this.#asking
    signal.throwIfAborted()
    this.count++
    return new Promise((resolve, reject) => {
      const isTls = url.protocol === 'https:'
      const options = { signal, headers: { 'user-agent': 'fettle', ...headers, 'accept-encoding': 'identity' } }
      // The credentials of a URL are a header by now.
      const target = new URL(url)
      target.username = ''
      target.password = ''
      const sent = isTls
        ? requestTls(target, { ...options, agent: this.#tls })
        : requestPlain(target, { ...options, agent: this.#plain })
      let timer: NodeJS.Timeout | undefined
      // Until it has a connection, it waits for others, and not for the server.
      sent.on('socket', () => {
        timer = setTimeout(() => sent.destroy(silence(idleMilliseconds)), idleMilliseconds)
      })
      sent.on('error', (error) => {
        clearTimeout(timer)
        reject(error)
      })
      sent.on('response', (body) => {
        clearTimeout(timer)
        // What fails before the body is listened to is told to whoever listens then.
        body.on('error', () => {})
        resolve({ status: body.statusCode ?? 0, headers: body.headers, body, url })
      })
      sent.end()
    })
  }

  /** Hands on a body as it comes, until its end or until `take` says that it is enough. Throws Cut. */
  receive(answer: Answer, take: (chunk: Buffer) => boolean): Promise<void> {
    const { body } = answer
    const { idleMilliseconds, signal } = this.#asking
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => end(silence(idleMilliseconds)), idleMilliseconds)
      const end = (error?: Error) => {
        clearTimeout(timer)
        if (error !== undefined || !body.complete) body.destroy()
        if (error === undefined) resolve()
        else reject(signal.aborted ? signal.reason : error)
      }
      body.on('data', (chunk: Buffer) => {
        timer.refresh()
        this.bytes += chunk.length
        if (!take(chunk)) end()
      })
      body.on('end', () => end(body.complete ? undefined : new Cut('the connection was cut')))
      body.on('error', () => end(new Cut('the connection was cut')))
      body.on('close', () => end(new Cut('the connection was cut')))
      if (body.destroyed) end(new Cut('the connection was cut'))
    })
  }
}

function silence(milliseconds: number): Cut {
  return new Cut(`nothing came for ${milliseconds / 1000} s`)
}

/** The same server, or the same under TLS. */
function isSameParty(from: URL, to: URL): boolean {
  const isUpgrade = from.protocol === 'http:' && to.protocol === 'https:' && from.port === '' && to.port === ''
  return from.origin === to.origin || (isUpgrade && from.hostname === to.hostname)
}

/** The headers that were given, and user and password of the URL. */
function secrets(url: URL, headers: Readonly<Record<string, string>>): Record<string, string> {
  if (url.username === '' && url.password === '') return { ...headers }
  const words = `${decoded(url.username)}:${decoded(url.password)}`
  return { ...headers, authorization: `Basic ${Buffer.from(words).toString('base64')}` }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  const codes: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there',
    ECONNRESET: 'the connection was cut',
    EPIPE: 'the connection was cut',
    ETIMEDOUT: 'it does not answer',
    EHOSTUNREACH: 'there is no way to it',
    ENETUNREACH: 'there is no way to it',
    EAI_AGAIN: 'its name could not be looked up',
  }
  const code = error.code ?? ''
  if (code.startsWith('HPE_')) return 'what it answers is no HTTP'
  return codes[code] ?? `the request failed (${code || error.name})`
}
