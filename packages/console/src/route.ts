/** Where one is in the page: what stands behind the `#` of its address. */

export type Route =
  | { readonly page: 'live' }
  | { readonly page: 'session'; readonly id: number }
  /** The records; `search` as of a URL, with the filters that the API knows. */
  | { readonly page: 'sessions'; readonly search: string }

export function readRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const id = /^sessions\/(\d{1,16})$/.exec(path)?.[1]
  if (id !== undefined) return { page: 'session', id: Number(id) }
  return path === 'sessions' ? { page: 'sessions', search } : { page: 'live' }
}

export function writeRoute(route: Route): string {
  if (route.page === 'live') return '#/live'
  if (route.page === 'session') return `#/sessions/${route.id}`
  return route.search === '' ? '#/sessions' : `#/sessions?${route.search}`
}

/** The token of an address that the meter printed: `#token=...`. */
export function readToken(hash: string): string | undefined {
  const token = /^#token=([^&]+)$/.exec(hash)?.[1]
  if (token === undefined) return undefined
  try {
    return decodeURIComponent(token)
  } catch {
    return token
  }
}
