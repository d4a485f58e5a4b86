/** fettle zip in this process: a start of Node for each of hundreds of archives would take longer than all the rest. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, EXIT, type Given, type Io, Unseen } from '@fettle/check'
import { type Finding, type Report, readReport } from '@fettle/report'
import * as zip from '@fettle/zip'

export interface Said {
  readonly status: number
  /** Standard output. */
  readonly output: string
  /** A line each. */
  readonly complaints: readonly string[]
}

/** `fettle zip NAME ...`. What is no expected failure is thrown. */
export async function runZip(name: string, ...words: string[]): Promise<Said> {
  const command = commandOf(`zip ${name}`)
  const complaints: string[] = []
  const parts: Uint8Array[] = []
  const take = (text: string | Uint8Array) => {
    parts.push(Buffer.from(text as string))
  }
  const said = (status: number): Said => ({ status, output: Buffer.concat(parts).toString(), complaints })
  const io: Io = {
    environment: process.env,
    data: '/nonexistent/data',
    isTerminal: false,
    width: 1000,
    signal: new AbortController().signal,
    write: async (text) => take(text),
    print: take,
    progress() {},
    secret: async () => undefined,
    screen: () => undefined,
    complain: (line) => complaints.push(line),
  }
  const options = command.read(givenOf(command, words))
  if (!options.ok) return { ...said(EXIT.wrong), complaints: options.faults }
  try {
    return said(await command.run(options.value, io))
  } catch (error) {
    if (!(error instanceof Unseen)) throw error
    complaints.push(error.message)
    return said(EXIT.couldNot)
  }
}

function commandOf(name: string): Command<unknown> {
  const commands = Object.values(zip) as unknown[]
  const found = commands.find((one) => typeof one === 'object' && one !== null && 'name' in one && one.name === name)
  if (found === undefined) throw new Error(`there is no command ${name}`)
  return found as Command<unknown>
}

/** As the command line reads them, as far as these tests write them. */
function givenOf({ flags }: Command<unknown>, words: readonly string[]): Given {
  const given: Record<string, string | true | string[]> = {}
  const rest: string[] = []
  const left = [...words]
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === '--') return { arguments: [...rest, ...left], flags: given }
    const flag = flags.find(({ name, letter }) => word === `--${name}` || word === `-${letter}`)
    if (flag === undefined && word.startsWith('-')) throw new Error(`there is no flag ${word}`)
    if (flag === undefined) rest.push(word)
    else if (flag.many) given[flag.name] = [...((given[flag.name] as string[] | undefined) ?? []), left.shift()!]
    else given[flag.name] = flag.value === undefined ? true : left.shift()!
  }
  return { arguments: rest, flags: given }
}

export interface Extracted extends Said {
  /** undefined: it could not look. */
  readonly report: Report | undefined
  readonly findings: readonly Finding[]
}

/** `fettle zip extract ARCHIVE -d FOLDER --json ...`. */
export async function extractWithFettle(archive: string, folder: string, ...more: string[]): Promise<Extracted> {
  const said = await runZip('extract', archive, '-d', folder, '--json', ...more)
  if (said.output === '') return { ...said, report: undefined, findings: [] }
  const report = readReport(said.output)
  if ('problem' in report) throw new Error(`the report ${report.problem}: ${said.output}`)
  return { ...said, report, findings: report.findings }
}

/** Something in a folder. */
export interface Thing {
  readonly kind: 'file' | 'folder' | 'link'
  /** Of a file. */
  readonly content?: Buffer
  readonly mode?: number
  /** Seconds since the epoch. */
  readonly modified?: number
  /** Of a link. */
  readonly target?: string
}

/** All that is in a folder, by path; a folder that does not exist holds nothing. */
export function thingsIn(folder: string, path = '', into = new Map<string, Thing>()): Map<string, Thing> {
  const here = join(folder, path)
  if (path === '' && statSync(here, { throwIfNoEntry: false }) === undefined) return into
  for (const entry of readdirSync(here, { withFileTypes: true })) {
    const inner = path === '' ? entry.name : `${path}/${entry.name}`
    into.set(inner, thingAt(join(folder, inner), entry))
    if (entry.isDirectory()) thingsIn(folder, inner, into)
  }
  return into
}

function thingAt(path: string, entry: { isDirectory(): boolean; isSymbolicLink(): boolean; isFile(): boolean }): Thing {
  if (entry.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) }
  if (entry.isDirectory()) return { kind: 'folder' }
  if (!entry.isFile()) throw new Error(`${path} is something special`)
  const { mode, mtimeMs } = statSync(path)
  return { kind: 'file', content: readFileSync(path), mode: mode & 0o7777, modified: mtimeMs / 1000 }
}

/** Files by `fettle zip list ARCHIVE --json`. */
export async function listWithFettle(archive: string): Promise<{ readonly name: string; readonly size: number }[]> {
  const { status, output, complaints } = await runZip('list', archive, '--json')
  if (status > 1) throw new Error(complaints.join('\n'))
  const { list } = JSON.parse(output) as { list: { name: string; kind: string; size: number }[] }
  return list.filter(({ name }) => !name.endsWith('/')).map(({ name, size }) => ({ name, size }))
}
