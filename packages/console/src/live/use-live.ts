import { useEffect, useState } from 'preact/hooks'
import { apiUrl } from '../api.ts'
import type { Clock } from './clock.ts'
import { isOutdated } from './renewal.ts'
import { apply, begin, type LiveState } from './state.ts'
import { type Connection, type Follower, follow } from './stream.ts'

export interface Live {
  /** undefined until the first snapshot. */
  readonly state: LiveState | undefined
  readonly connection: Connection
  tryNow(): void
}

/** What the meter says, from now on; `refused` when it does not know the token. */
export function useLive(token: string, clock: Clock, refused: () => void): Live {
  const [state, setState] = useState<LiveState>()
  const [connection, setConnection] = useState<Connection>({ kind: 'connecting' })
  const [follower, setFollower] = useState<Follower>()
  useEffect(() => {
    let wasLost = false
    const following = follow({
      url: apiUrl('live'),
      token,
      snapshot(snapshot) {
        clock.set(Date.parse(snapshot.at))
        setState(begin(snapshot))
      },
      change(change) {
        clock.set(Date.parse(change.at))
        setState((known) => known && apply(known, change))
      },
      connection(next) {
        clock.stand(next.kind === 'lost' ? next.since : undefined)
        setConnection(next)
        if (next.kind === 'refused') refused()
        if (next.kind === 'live' && wasLost) reloadIfOutdated()
        wasLost = next.kind === 'lost'
      },
    })
    setFollower(following)
    // Who comes back to the page, or into the network, does not want to wait.
    const comeBack = () => {
      if (!document.hidden) following.tryNow()
    }
    addEventListener('online', comeBack)
    document.addEventListener('visibilitychange', comeBack)
    return () => {
      removeEventListener('online', comeBack)
      document.removeEventListener('visibilitychange', comeBack)
      following.stop()
    }
  }, [token, clock, refused])
  return { state, connection, tryNow: () => follower?.tryNow() }
}

/** The token and the place in the page survive it. */
function reloadIfOutdated(): void {
  const reload = (outdated: boolean) => {
    if (outdated) location.reload()
  }
  // Who cannot find out keeps the page that there is.
  isOutdated().then(reload, () => {})
}
