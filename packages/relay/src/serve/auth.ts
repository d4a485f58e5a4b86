/** Who may ask. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { isLoopback } from '../address.ts'
import { problemResponse } from './problem.ts'

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Answers a request without the token; undefined for one with it. Comparing takes the same time for every token. */
export function createTokenCheck(token: string): (request: Request) => Response | undefined {
  if (token === '') return () => undefined
  const expected = digest(token)
  return (request) => {
    const given = /^bearer +(\S+) *$/i.exec(request.headers.get('authorization') ?? '')?.[1]
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return undefined
    const what = given === undefined ? 'The request has no token' : 'The token is not the one of this meter'
    const detail = `${what}; send "Authorization: Bearer TOKEN" with what the file "token" in the data folder holds.`
    const error = given === undefined ? '' : ', error="invalid_token"'
    return problemResponse(401, detail, { 'WWW-Authenticate': `Bearer realm="fettle"${error}` })
  }
}

/**
 * Without a token the meter listens on loopback only, and a page of somebody else's could reach it by a name of theirs
 * that leads to 127.0.0.1 (DNS rebinding): such a name stands in the Host header.
 */
export function checkHost(request: Request): Response | undefined {
  const host = hostOf(request)
  if (isLoopback(host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'))) return undefined
  const detail = `${JSON.stringify(host)} is not how this meter is reached: it asks for no token and so answers as
    localhost only. Put a token into the file "token" in the data folder to use other names.`
  return problemResponse(403, detail.replaceAll(/\s+/g, ' '))
}

/**
 * A page of another origin can make a browser ask here in its user's place, and where there is no token nothing else
 * would stop it. The browser says who asks: by Sec-Fetch-Site, or, where it does not send that (plain HTTP to another
 * machine), by an Origin beside whatever may change something. A program says neither.
 */
export function checkOrigin(request: Request): Response | undefined {
  const site = request.headers.get('sec-fetch-site')
  const origin = request.headers.get('origin')
  const isOwn = site === null ? isOriginOf(hostOf(request), origin) : site === 'same-origin' || site === 'none'
  if (isOwn) return undefined
  const detail = `A page of ${JSON.stringify(origin ?? 'another origin')} asks for this; the meter answers programs and
    its own page. A proxy in front of it must pass on the Host header.`
  return problemResponse(403, detail.replaceAll(/\s+/g, ' '))
}

function isOriginOf(host: string, origin: string | null): boolean {
  // "null" is the origin of a sandbox or a file, and no address.
  return origin === null || (URL.canParse(origin) && new URL(origin).host === host.toLowerCase())
}

const hostOf = (request: Request) => request.headers.get('host') ?? new URL(request.url).host
