import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { expectations, read, recording } from './expectations.ts'

// Holds the expectations to the recordings without a line of fettle: whoever changes one of the two has to change both.

const zero = [0, 0, 0, 0]
const plus = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value + b[i]!)

/** What stands between a channel and its message in any of the forms, line breaks included, holds no small letter. */
const published =
  /\/allocation\/(\d{18})\/((?:total_)?traffic(?:\/peer)?)[^a-z]+rcvp=(\d+), rcvb=(\d+), sentp=(\d+), sentb=(\d+)/
const logged = /^[^ ]+ (?:: )?session (\d{18}): ((?:peer )?usage): .* rp=(\d+), rb=(\d+), sp=(\d+), sb=(\d+)$/
const kinds: Readonly<Record<string, string>> = { usage: 'traffic', 'peer usage': 'traffic/peer' }

/** The reports added up and the last total, by `<id> <kind>`. */
function counted(files: readonly string[]): Map<string, number[]> {
  const found = new Map<string, number[]>()
  const text = files.map(read).join('')
  for (const match of text.matchAll(new RegExp(`${published.source}|${logged.source}`, 'gm'))) {
    const [id, word, ...four] = match.slice(1).filter((value) => value !== undefined)
    const kind = kinds[word!] ?? word!
    const before = kind.startsWith('total') ? zero : (found.get(`${id} ${kind}`) ?? zero)
    found.set(`${id} ${kind}`, plus(before, four.map(Number)))
  }
  return found
}

/** `name=` of a line of an expectation, as numbers; undefined for null. */
function numbers(line: string, name: string): number[] | undefined {
  const value = new RegExp(` ${name}=(\\S+)`).exec(line)![1]!
  return value === 'null' ? undefined : value.split(/[,/]/).map(Number)
}

const sumOf = (lines: readonly string[], name: string) =>
  lines.reduce((sum, line) => plus(sum, numbers(line, name) ?? zero), zero)

for (const { name, files, sessions, rejected, usage } of expectations) {
  const found = counted(files)
  const allocations = sessions.flatMap(([, ...own]) => own)

  test(`[R5, R17] the counters in ${name}.expected are the recording's`, () => {
    for (const line of allocations) {
      const [, id] = line.trim().split(' ')
      const reported = (kind: string) => found.get(`${id} ${kind}`)
      const client = reported('total_traffic') ?? reported('traffic') ?? zero
      const peer = reported('total_traffic/peer') ?? reported('traffic/peer')
      assert.deepEqual([numbers(line, 'client'), numbers(line, 'peer')], [client, peer], line)
      const above = [client, peer ?? zero].reduce(plus)
      const heard = plus(reported('traffic') ?? zero, reported('traffic/peer') ?? zero)
      const [packets, bytes] = [
        above[0]! + above[2]! - heard[0]! - heard[2]!,
        above[1]! + above[3]! - heard[1]! - heard[3]!,
      ]
      assert.deepEqual(numbers(line, 'unheard'), [packets, bytes], line)
    }
  })

  test(`[R10, R22] the sessions in ${name}.expected, and what was rejected, hold all that the recording holds`, () => {
    for (const [session, ...own] of sessions) {
      for (const side of ['client', 'peer'])
        assert.deepEqual(numbers(session!, side) ?? zero, sumOf(own, side), session)
    }
    const all = (kind: string) =>
      Array.from(new Set(Array.from(found.keys(), (key) => key.split(' ')[0])))
        .map((id) => found.get(`${id} total_${kind}`) ?? found.get(`${id} ${kind}`) ?? zero)
        .reduce(plus, zero)
    const lines = [...allocations, ...rejected]
    assert.deepEqual([sumOf(lines, 'client'), sumOf(lines, 'peer')], [all('traffic'), all('traffic/peer')])
  })

  test(`[R26] the usage in ${name}.expected adds up to the reports`, () => {
    const sums = new Map<string, number[]>()
    for (const line of usage) {
      const [, id, side, , four] = line.split(' ')
      const key = `${id} ${side === 'client' ? 'traffic' : 'traffic/peer'}`
      sums.set(key, plus(sums.get(key) ?? zero, four!.split(',').map(Number)))
    }
    for (const [key, sum] of sums) assert.deepEqual(sum, found.get(key), key)
  })
}

test('every recording has its expectation', () => {
  const expected = new Set(expectations.flatMap(({ files }) => files))
  const all = readdirSync(recording('')).filter((name) => name.endsWith('.txt') && !name.endsWith('-notes.txt'))
  assert.deepEqual(
    all.filter((name) => !expected.has(name)),
    [],
  )
})
