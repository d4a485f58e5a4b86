/** The meter's token: kept for this tab only, and never left in the address bar. */
import { readToken, writeRoute } from './route.ts'

const NAME = 'fettle.token'

/** Takes the token out of the address, if one is there, and returns the one that is known. */
export function knownToken(): string | undefined {
  const given = readToken(location.hash)
  if (given === undefined) return storage()?.getItem(NAME) ?? undefined
  history.replaceState(null, '', `${location.pathname}${location.search}${writeRoute({ page: 'live' })}`)
  keepToken(given)
  return given
}

export function keepToken(token: string): void {
  storage()?.setItem(NAME, token)
}

export function forgetToken(): void {
  storage()?.removeItem(NAME)
}

/**
 * The header that carries it; none for a meter that asks for none. A letter that no header may hold makes it wrong, and
 * the meter is to say so: the browser would refuse to ask.
 */
export function bearer(token: string): Record<string, string> {
  return token === '' ? {} : { Authorization: `Bearer ${token.replaceAll(/[^!-~]/g, '?')}` }
}

/** A browser that is told to keep nothing throws; then the token lasts as long as the page. */
function storage(): Storage | undefined {
  try {
    return sessionStorage
  } catch {
    return undefined
  }
}
