/** Answers that say what is wrong (RFC 9457). */
import { STATUS_CODES } from 'node:http'
import type { Problem } from './contract.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** `detail`: what is wrong, where, and what to do. */
export function problemResponse(status: number, detail: string, headers: Record<string, string> = {}): Response {
  const body: Problem = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail }
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': PROBLEM_TYPE, 'Cache-Control': 'no-store', ...headers },
  })
}
