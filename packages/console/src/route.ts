/** Where one is in the page: what stands behind the `#` of its address. */

export type Route =
  | { readonly page: 'live' }
  | { readonly page: 'session'; readonly id: number }
  /** The records; `search` as of a URL, with the filters that the API knows. */
  | { readonly page: 'sessions'; readonly search: string }
  /** Kept reports; `search` as above. */
  | { readonly page: 'reports'; readonly search: string }
  | { readonly page: 'report'; readonly name: string }
  /** Two reports, by their names. */
  | { readonly page: 'comparison'; readonly before: string; readonly after: string }

/** A report's name begins with its time, and needs no escape in an address. */
const NAME = /^\d[A-Za-z0-9.-]{1,254}$/

export function readRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const [section, one, ...more] = path.split('/')
  if (more.length > 0) return { page: 'live' }
  if (section === 'sessions') return readSessions(one, search)
  return section === 'reports' ? readReports(one, search) : { page: 'live' }
}

function readSessions(one: string | undefined, search: string): Route {
  if (one === undefined) return { page: 'sessions', search }
  return /^\d{1,16}$/.test(one) ? { page: 'session', id: Number(one) } : { page: 'live' }
}

function readReports(one: string | undefined, search: string): Route {
  if (one === undefined) return { page: 'reports', search }
  if (one !== 'compare') return NAME.test(one) ? { page: 'report', name: one } : { page: 'live' }
  const given = new URLSearchParams(search)
  const [before = '', after = ''] = [given.get('before') ?? '', given.get('after') ?? '']
  return NAME.test(before) && NAME.test(after) ? { page: 'comparison', before, after } : { page: 'live' }
}

export function writeRoute(route: Route): string {
  switch (route.page) {
    case 'live':
      return '#/live'
    case 'session':
      return `#/sessions/${route.id}`
    case 'report':
      return `#/reports/${route.name}`
    case 'comparison':
      return `#/reports/compare?before=${route.before}&after=${route.after}`
    default:
      return route.search === '' ? `#/${route.page}` : `#/${route.page}?${route.search}`
  }
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
