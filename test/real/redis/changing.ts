/** Runs of `fettle redis change`, and what they have said. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Report } from '@fettle/report'
import { fettle } from '../fettle.ts'
import { exitOf, type Ground, type Running } from '../harness.ts'
import { ask, type Redis } from '../redis.ts'

export type Where = Pick<Redis, 'host' | 'port'>

export const words = (ground: Ground, { host, port }: Where, ...more: string[]) => [
  ...['redis', 'change', `redis://${host}:${port}`, '--data', dataOf(ground), '--json', '--for', '1'],
  ...more,
]
export const change = (ground: Ground, where: Where, ...more: string[]) =>
  fettle(ground, ...words(ground, where, ...more))
export const dataOf = (ground: Ground) => join(ground.folder, 'data')
export const settingsOf = (redis: Redis, ground: Ground) => ask(redis, ground, 'config', 'get', '*')
export const nowOf = async (redis: Redis, ground: Ground, name: string) =>
  (await ask(redis, ground, 'config', 'get', name))[1]

export function journals(ground: Ground): string[] {
  const folder = join(dataOf(ground), 'undo')
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []
}

export async function reportOf(running: Running, status: number): Promise<Report> {
  assert.equal(await exitOf(running, 40), status, running.output)
  if (status !== 3) assert.equal(running.complaints, '')
  return JSON.parse(running.output.slice(0, running.output.lastIndexOf('}') + 1)) as Report
}

/** What became of what; the journal itself aside. */
export const told = ({ findings }: Report) =>
  findings.filter(({ code }) => code !== 'change.journal').map(({ code, subject }) => [code, subject])
export const saysOf = ({ findings }: Report, subject: string) =>
  findings.find((one) => one.subject === subject)?.says ?? ''
