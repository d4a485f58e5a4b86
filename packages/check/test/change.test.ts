/** Changing something, whatever it is: a target that is a map of values. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Report } from '@fettle/report'
import { type ChangeOptions, changing, type Hand, type Io, type Item, Unseen } from '../src/index.ts'

interface Given {
  readonly values: Map<string, string>
  readonly items: readonly Item[]
  /** Before a value is made. */
  readonly onMake?: (what: string, data: string) => void
  /** After all is made; without it, nothing is measured. */
  readonly onEnd?: () => void
}

const OPTIONS: ChangeOptions = { json: true, save: false, data: undefined, apply: true, undo: null, persist: false }

class Target {
  readonly data: string
  readonly stop = new AbortController()
  readonly #given: Given

  constructor(test: { after(hook: () => void): void }, given: Given) {
    this.data = mkdtempSync(join(tmpdir(), 'fettle-change-'))
    test.after(() => rmSync(this.data, { recursive: true }))
    this.#given = given
  }

  get journals(): string[] {
    return readdirSync(join(this.data, 'undo')).map((name) => join(this.data, 'undo', name))
  }

  async run(more: Partial<ChangeOptions> = {}, target = 'here') {
    let [out, err] = ['', '']
    const io: Io = {
      environment: {},
      data: this.data,
      isTerminal: false,
      width: 80,
      signal: this.stop.signal,
      write: async (text) => {
        out += text
      },
      print: () => {},
      progress: () => {},
      secret: async () => undefined,
      screen: () => undefined,
      complain: (line) => {
        err += `${line}\n`
      },
    }
    const about = {
      name: 'some change',
      summary: '',
      arguments: [],
      flags: [],
      examples: [],
      read: () => ({ ok: true as const, value: OPTIONS }),
    }
    const command = changing<ChangeOptions>(about, { target: () => target, open: async () => this.#hand() })
    try {
      const status = await command.run({ ...OPTIONS, ...more }, io)
      const { findings } = JSON.parse(out) as Report
      return { status, err, told: findings.map(({ code, subject }) => `${code} ${subject}`), findings }
    } catch (error) {
      if (!(error instanceof Unseen)) throw error
      return { status: 3, err: `${error.message}\n`, told: [], findings: [] }
    }
  }

  #hand(): Hand {
    const { values, items, onMake, onEnd } = this.#given
    const nothing = { measures: [], tables: [], findings: [], unseen: [] }
    return {
      plan: async () => ({ items, findings: [], unseen: [], cannot: null, before: onEnd ? nothing : null }),
      read: async ({ what }) => values.get(what) ?? null,
      make: async ({ what }, value) => {
        onMake?.(what, this.data)
        if (value === null) values.delete(what)
        else values.set(what, value)
        return null
      },
      persist: async () => {
        onEnd?.()
        return 'nowhere to write it to'
      },
      look: async () => {
        onEnd?.()
        return nothing
      },
      close: () => {},
    }
  }
}

const item = (what: string, was: string | null, becomes: string | null, more: Partial<Item> = {}): Item => ({
  ...{ what, was, becomes, why: '', command: `set ${what}`, undo: `set back ${what}`, lost: null },
  ...more,
})

test('what is not there is made and taken away again; the last is undone first', async (t) => {
  const values = new Map([['b', '1']])
  const target = new Target(t, { values, items: [item('a', null, 'x'), item('b', '1', null)] })
  assert.deepEqual((await target.run({ apply: false })).told, ['change.planned a', 'change.planned b'])
  assert.deepEqual(Array.from(values), [['b', '1']])
  const { status, told, err } = await target.run()
  assert.deepEqual([status, err], [0, ''])
  assert.deepEqual(told, ['change.done a', 'change.done b', `change.journal ${target.journals[0]}`])
  assert.deepEqual(Array.from(values), [['a', 'x']])
  assert.deepEqual((await target.run({ undo: { file: null } })).told, ['change.undone b', 'change.undone a'])
  assert.deepEqual(Array.from(values), [['b', '1']])
})

test('that it is begun is on the disk before it is touched, and what it was', async (t) => {
  const seen: string[] = []
  const onMake = (what: string, data: string) => {
    const folder = join(data, 'undo')
    const { entries } = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]!), 'utf8'))
    seen.push(`${what}: ${entries.map((one: { state: string; was: string }) => `${one.state} ${one.was}`).join(', ')}`)
  }
  const values = new Map([
    ['a', '1'],
    ['log', 'old and new'],
  ])
  const items = [item('a', '1', '2'), item('log', 'old', null, { lost: 'all of it', moves: true })]
  const target = new Target(t, { values, items, onMake })
  assert.equal((await target.run()).status, 0)
  assert.deepEqual(seen, ['a: begun 1, planned old', 'log: done 1, begun old and new'])
})

test('Ctrl-C between two: the second is not touched, and the first can be undone', async (t) => {
  const values = new Map([
    ['a', '1'],
    ['b', '1'],
  ])
  const target = new Target(t, {
    values,
    items: [item('a', '1', '2'), item('b', '1', '2')],
    onMake: () => target.stop.abort(),
  })
  const { status, told, err } = await target.run()
  assert.deepEqual([status, err], [3, 'stopped before all was done\n'])
  assert.deepEqual(told.slice(0, 2), ['change.done a', 'change.untouched b'])
  assert.deepEqual(Array.from(values.values()), ['2', '1'])
  assert.equal(JSON.parse(readFileSync(target.journals[0]!, 'utf8')).entries[1].state, 'planned')
})

test('a connection that breaks while it is undone: nobody knows, until it is undone again', async (t) => {
  let isBroken = false
  const values = new Map([['a', '1']])
  const onMake = () => {
    if (isBroken) throw new Unseen('here: closed the connection')
  }
  const target = new Target(t, { values, items: [item('a', '1', '2')], onMake })
  await target.run()
  isBroken = true
  const broken = await target.run({ undo: { file: null } })
  assert.deepEqual([broken.status, broken.err, broken.told], [3, 'here: closed the connection\n', ['change.unknown a']])
  isBroken = false
  assert.deepEqual((await target.run({ undo: { file: null } })).told, ['change.undone a'])
  assert.equal(values.get('a'), '1')
})

test('killed after it was put back and before it counted: it is put back once more', async (t) => {
  let isBroken = false
  const made: string[] = []
  const values = new Map([['a', '1']])
  const onMake = (what: string) => {
    made.push(what)
    if (!isBroken) return
    values.set('a', '1')
    throw new Unseen('here: closed the connection')
  }
  const target = new Target(t, { values, items: [item('a', '1', '2')], onMake })
  await target.run()
  isBroken = true
  await target.run({ undo: { file: null } })
  isBroken = false
  const shown = await target.run({ undo: { file: null }, apply: false })
  assert.equal(shown.findings[0]!.says, 'is 1; --apply sees to it that it counts.')
  const undone = await target.run({ undo: { file: null } })
  assert.equal(undone.findings[0]!.says, 'is 1 again.')
  assert.deepEqual(made, ['a', 'a', 'a'])
})

test('what was changed is told even when the target is gone before it could be looked at again', async (t) => {
  const onEnd = () => {
    throw new Unseen('here: nothing listens there')
  }
  const target = new Target(t, { values: new Map([['a', '1']]), items: [item('a', '1', '2')], onEnd })
  const { status, told, findings } = await target.run({ persist: true })
  assert.deepEqual([status, told.slice(0, 2)], [1, ['change.done a', 'change.not-persisted ']])
  assert.equal(findings[1]!.says, 'It does not outlive a restart: here: nothing listens there')
})

test('runs are undone one by one, the last first; one that cannot be made to last says so', async (t) => {
  const values = new Map([['a', '1']])
  const items: Item[] = [item('a', '1', '2')]
  const target = new Target(t, { values, items })
  await target.run()
  items[0] = item('a', '2', '3')
  const second = await target.run({ persist: true })
  assert.deepEqual([second.status, second.told[1]], [1, 'change.not-persisted '])
  const back = await target.run({ undo: { file: null } })
  assert.deepEqual([values.get('a'), back.told], ['2', ['change.undone a', 'change.not-persisted ']])
  await target.run({ undo: { file: null } })
  assert.equal(values.get('a'), '1')
  assert.match((await target.run({ undo: { file: null } })).err, /nothing is kept here that could be undone at here\n$/)
})

test('a journal of another target, of another tool, or none at all is refused in one line', async (t) => {
  const values = new Map([['a', '1']])
  const target = new Target(t, { values, items: [item('a', '1', '2')] })
  await target.run()
  const [file] = target.journals
  const journal = JSON.parse(readFileSync(file!, 'utf8'))
  assert.match(
    (await target.run({ undo: { file: file! } }, 'there')).err,
    /is of some change here, not of some change there\n$/,
  )
  const other = join(target.data, 'other.json')
  for (const [text, pattern] of [
    [JSON.stringify({ ...journal, tool: 'any' }), /is of any here, not of some change here\n$/],
    [JSON.stringify({ ...journal, schema: 'fettle.undo/9' }), /is no journal of changes \(fettle\.undo\/1\)\n$/],
    [JSON.stringify({ ...journal, entries: [{ ...journal.entries[0], was: 7 }] }), /is no journal of changes/],
    [JSON.stringify({ ...journal, entries: [null] }), /is no journal of changes/],
    ['null', /is no journal of changes/],
    ['{', /is no journal of changes/],
  ] as const) {
    writeFileSync(other, text)
    const { status, err } = await target.run({ undo: { file: other } })
    assert.equal(status, 3)
    assert.match(err, pattern, text)
  }
  assert.match(
    (await target.run({ undo: { file: join(target.data, 'none') } })).err,
    /none: cannot be read \(ENOENT\)\n$/,
  )
  assert.equal(values.get('a'), '2')
})
