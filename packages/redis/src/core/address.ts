/** Where a Redis is: `redis://user@host:port`, `rediss://` over TLS, `unix:/path`, or `host:port`. */

export type Address = (
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly isTls: boolean }
  | { readonly kind: 'unix'; readonly path: string }
) & {
  /** Of an ACL (Redis 6.0 and newer); null: the default user. */
  readonly user: string | null
  /** As it is shown and kept: nothing secret, always in the same words. */
  readonly name: string
}

const PORT = 6379

/** The address, or what is wrong with it. */
export function readAddress(text: string): Address | { readonly problem: string } {
  const path = /^unix:(?:\/\/)?(\/.+)$/.exec(text)?.[1]
  if (path !== undefined) return { kind: 'unix', path, user: null, name: `unix:${path}` }
  const hasScheme = /^[a-z]+:\/\//i.test(text)
  const url = URL.parse(hasScheme ? text : `redis://${text}`)
  if (url === null || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') {
    return { problem: 'write redis://HOST:PORT, rediss://HOST:PORT for TLS, or unix:/PATH' }
  }
  if (url.password !== '') {
    return { problem: 'a password here is seen by all users of this machine; use REDISCLI_AUTH, or --password-file' }
  }
  if (/^\/.*[^/0-9]/.test(url.pathname)) return { problem: 'what stands behind the port is no number of a database' }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = url.port === '' ? PORT : Number(url.port)
  const isTls = url.protocol === 'rediss:'
  const user = url.username === '' ? null : decoded(url.username)
  if (user === undefined) return { problem: 'the user name holds a % that stands for nothing' }
  return { kind: 'tcp', host, port, isTls, user, name: `${url.protocol}//${url.hostname}:${port}` }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
