/** Asks the meter: JSON, with the token. */
import type { Comparison, Problem, Report, ReportPage, SessionDetail, SessionPage } from '@fettle/relay/api'
import { bearer } from './token.ts'

/** What the page needs to ask. */
export interface Api {
  session(id: number, signal: AbortSignal): Promise<SessionDetail>
  /** `search`: filters as of a URL. */
  sessions(search: URLSearchParams, signal: AbortSignal): Promise<SessionPage>
  report(name: string, signal: AbortSignal): Promise<Report>
  reports(search: URLSearchParams, signal: AbortSignal): Promise<ReportPage>
  /** Two reports by their names. */
  comparison(before: string, after: string, signal: AbortSignal): Promise<Comparison>
}

/** The meter answered with something else than what was asked for. The message is for people. */
export class ApiFault extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Also under a path of somebody's proxy. */
export function apiUrl(path: string): string {
  return new URL(`v1/${path}`, document.baseURI).href
}

/** `refused` is called when the token is not known any more. */
export function createApi(token: string, refused: () => void): Api {
  const get = async <T>(path: string, signal: AbortSignal): Promise<T> => {
    const response = await fetch(apiUrl(path), { headers: bearer(token), signal, cache: 'no-store' }).catch(
      (error: Error) => {
        throw error.name === 'AbortError' ? error : new ApiFault(0, 'The meter cannot be reached.')
      },
    )
    if (response.status === 401) refused()
    if (!response.ok) throw await faultOf(response)
    return response.json()
  }
  return {
    session: (id, signal) => get(`sessions/${id}`, signal),
    sessions: (search, signal) => get(`sessions?${search}`, signal),
    report: (name, signal) => get(`reports/${name}`, signal),
    reports: (search, signal) => get(`reports?${search}`, signal),
    comparison: (before, after, signal) => get(`reports/compare?before=${before}&after=${after}`, signal),
  }
}

async function faultOf(response: Response): Promise<ApiFault> {
  const problem: Partial<Problem> = await response.json().catch(() => ({}))
  return new ApiFault(response.status, problem.detail ?? `The meter answered with status ${response.status}.`)
}
