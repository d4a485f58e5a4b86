/** What answers to requests for ranges say, and whether they can be believed. */
import type { IncomingHttpHeaders } from 'node:http'
import { Unseen } from '@fettle/check'
import type { Answer } from './request.ts'

/** What tells one version of an archive from another. */
export interface Version {
  readonly size: number
  readonly etag: string | undefined
  readonly modified: string | undefined
}

export interface Range {
  readonly start: number
  /** Not included. */
  readonly end: number
  /** undefined: the server does not say. */
  readonly size: number | undefined
}

/** `bytes 0-99/1000` */
export function readContentRange(text: string | undefined): Range | undefined {
  const words = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(text?.trim() ?? '')
  if (words === null) return undefined
  const [start, last] = [Number(words[1]), Number(words[2])]
  const size = words[3] === '*' ? undefined : Number(words[3])
  if (start > last || (size !== undefined && last >= size)) return undefined
  return { start, end: last + 1, size }
}

/** Of a 416: `bytes *` and the size. */
export function readUnsatisfied(text: string | undefined): number | undefined {
  const words = /^bytes \*\/(\d{1,15})$/i.exec(text?.trim() ?? '')
  return words === null ? undefined : Number(words[1])
}

export function versionOf(headers: IncomingHttpHeaders, size: number): Version {
  return { size, etag: headers.etag, modified: headers['last-modified'] }
}

/** What to send so that no other version is taken for this one: never a weak ETag (RFC 9110 13.1.5). */
export function condition({ etag, modified }: Version): Record<string, string> {
  const known = etag ?? modified
  return known === undefined || known.startsWith('W/') ? {} : { 'if-range': known }
}

/** A server may leave out what it was asked with. */
export function isSame(version: Version, headers: IncomingHttpHeaders, size: number | undefined): boolean {
  const { etag, 'last-modified': modified } = headers
  if (size !== undefined && size !== version.size) return false
  if (etag !== undefined && version.etag !== undefined && etag !== version.etag) return false
  return modified === undefined || version.modified === undefined || modified === version.modified
}

export function isEncoded(headers: IncomingHttpHeaders): boolean {
  return !/^(identity)?$/i.test(headers['content-encoding']?.trim() ?? '')
}

export function sizeOf(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['content-length']
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** The range of a 206 that is one. Throws Unseen for what cannot be put together with others. */
export function rangeOf(name: string, { headers }: Answer): Range {
  if (isEncoded(headers)) throw compressed(name)
  if (/^multipart\//i.test(headers['content-type'] ?? '')) {
    throw new Unseen(`${name}: the server answers one range with several; ${HELP}`)
  }
  const range = readContentRange(headers['content-range'])
  if (range === undefined) throw new Unseen(`${name}: the server does not say which range it sends; ${HELP}`)
  return range
}

/** Not even what is downloaded would be the archive. */
export function compressed(name: string): Unseen {
  return new Unseen(`${name}: the server compresses the archive once more though it was asked not to; try another URL`)
}

export const HELP = '--download fetches the whole archive into a temporary file first'

/** Statuses that may be others in a moment. */
export const PASSING = new Set([408, 425, 429, 500, 502, 503, 504])

/** In one line, what a status means for whoever wants an archive. `isOpen`: it could be read before. */
export function statusProblem(name: string, status: number, isOpen: boolean): Unseen {
  const meaning: Readonly<Record<number, string>> = {
    401: 'the server wants to know who asks (401); give it a header with --header-from FILE',
    403: isOpen
      ? 'the server no longer gives it (403); a signed URL may have expired: get a new one and run this again'
      : 'the server does not give it to us (403); a signed URL may have expired, or a header may be missing',
    404: 'there is nothing under this URL (404); look at the path',
    410: 'it is gone for good (410)',
  }
  return new Unseen(`${name}: ${meaning[status] ?? `the server answers with the status ${status}`}`)
}

/** Seconds of Retry-After, as far as we are ready to wait. */
export function retryAfterSeconds(headers: IncomingHttpHeaders, now: number): number | undefined {
  const text = headers['retry-after']
  if (text === undefined) return undefined
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : (Date.parse(text) - now) / 1000
  return Number.isFinite(seconds) ? Math.max(0, Math.min(30, seconds)) : undefined
}
