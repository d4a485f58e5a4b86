/** Archives of folders, by all the programs that write them, in all the ways they can. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { find, type ProgramName } from '../harness.ts'
import type { Tree } from './trees.ts'
import { FOLDER, LINK, zip } from './writer.ts'

/** Makes an archive of a folder. */
export interface Maker {
  readonly name: string
  /** In its folder; or, for Python's, what is asked of it: one start makes many archives. */
  readonly make: ((job: Job) => void) | PythonCall
  readonly password?: string
  /** What unpacks it, and is believed. */
  readonly peer: 'unzip' | '7zz'
}

export interface Job {
  readonly tree: Tree
  readonly folder: string
  readonly archive: string
}

export type PythonCall = Readonly<Record<string, string | number | boolean | readonly string[]>>
const PASSWORD = 'open sesame'
// Names are bytes to these programs unless told otherwise; their own words are not wanted in any language.
const environment = () => ({ ...process.env, LC_ALL: 'C.UTF-8' })

/** Runs a program to its end; what it says when it fails is thrown. */
export function runProgram(name: ProgramName, args: readonly string[], cwd: string, input = '', worst = 0): Buffer {
  const options = { cwd, input, env: environment(), maxBuffer: 2 ** 30 }
  const { status, stdout, stderr } = spawnSync(find(name), args, options)
  if (status === null || status > worst) throw new Error(`${name} ${args.join(' ')}: ${status} ${stderr}${stdout}`)
  return stdout
}

const script = fileURLToPath(new URL('./zipfiles.py', import.meta.url))

/** What Python answers to each call, all by one start. */
export function askPython(calls: readonly PythonCall[]): unknown[] {
  const input = JSON.stringify(calls)
  const { status, stdout, stderr } = spawnSync(find('python3'), [script], {
    input,
    env: environment(),
    maxBuffer: 2 ** 30,
  })
  if (status !== 0) throw new Error(`python3: ${stderr}`)
  return JSON.parse(stdout.toString())
}

const byZip = (name: string, ...flags: string[]): Maker => ({
  name: `zip ${name}`,
  make: ({ folder, archive }) => runProgram('zip', ['-qry', ...flags, archive, '.'], folder),
  peer: 'unzip',
})
const by7z = (name: string, peer: Maker['peer'], ...flags: string[]): Maker => ({
  name: `7zz ${name}`,
  make: ({ folder, archive }) => runProgram('7zz', ['a', '-tzip', '-snl', ...flags, archive, '.'], folder),
  peer,
})
const byTar = (name: string, peer: Maker['peer'], ...flags: string[]): Maker => ({
  name: `bsdtar ${name}`,
  make: ({ folder, archive }) => {
    runProgram('bsdtar', ['-cf', archive, '--format=zip', ...flags, '--', ...readdirSync(folder)], folder)
  },
  peer,
})
const byPython = (name: string, peer: Maker['peer'], call: PythonCall): Maker => ({
  name: `python ${name}`,
  make: { call: 'pack', ...call },
  peer,
})
const secret = (maker: Maker): Maker => ({ ...maker, password: PASSWORD })

export const stub = Buffer.from('#!/bin/sh\nexec unzip "$0"\n')

/** An archive behind a program that unpacks it. */
function behindStub({ folder, archive }: Job): void {
  runProgram('zip', ['-qry', archive, '.'], folder)
  writeFileSync(archive, Buffer.concat([stub, readFileSync(archive)]))
}

/** To a pipe zip writes no links. */
function toPipe({ tree, folder, archive }: Job): void {
  const names = [...tree.files.keys()].map((path) => `./${path}\n`).join('')
  writeFileSync(archive, runProgram('zip', ['-q', '-', '-@'], folder, names))
}

export const makers: readonly Maker[] = [
  byZip('as it is'),
  byZip('stored', '-0'),
  byZip('best', '-9'),
  byZip('bzip2', '-Z', 'bzip2'),
  byZip('without folders', '-D'),
  byZip('without extra fields', '-X'),
  byZip('with zip64 records', '-fz'),
  byZip('with names in UTF-8', '-UN=UTF8'),
  secret(byZip('encrypted', '-P', PASSWORD)),
  { name: 'zip to a pipe', make: toPipe, peer: 'unzip' },
  {
    name: 'zip with a comment',
    make: ({ folder, archive }) => {
      runProgram('zip', ['-qry', archive, '.'], folder)
      runProgram('zip', ['-qz', archive], folder, 'a comment\nof two lines\n')
    },
    peer: 'unzip',
  },
  { name: 'zip behind a program', make: behindStub, peer: 'unzip' },
  {
    name: 'zip behind a program, adjusted',
    make: (job) => {
      behindStub(job)
      runProgram('zip', ['-qA', job.archive], job.folder)
    },
    peer: 'unzip',
  },
  by7z('as it is', 'unzip'),
  by7z('stored', 'unzip', '-mm=Copy'),
  by7z('deflate64', 'unzip', '-mm=Deflate64'),
  by7z('bzip2', 'unzip', '-mm=BZip2'),
  by7z('lzma', '7zz', '-mm=LZMA'),
  by7z('xz', '7zz', '-mm=XZ'),
  by7z('with times of Windows', 'unzip', '-mtm=on', '-mtc=on'),
  secret(by7z('AES-256', '7zz', '-mem=AES256', `-p${PASSWORD}`)),
  secret(by7z('AES-128', '7zz', '-mem=AES128', `-p${PASSWORD}`)),
  secret(by7z('AES-192, stored', '7zz', '-mem=AES192', '-mm=Copy', `-p${PASSWORD}`)),
  secret(by7z('ZipCrypto', 'unzip', '-mem=ZipCrypto', `-p${PASSWORD}`)),
  byTar('as it is', 'unzip'),
  byTar('stored', 'unzip', '--options=zip:compression=store'),
  secret(byTar('AES-256', '7zz', '--options=zip:encryption=aes256', '--passphrase', PASSWORD)),
  {
    name: 'bsdtar from a dot to a pipe',
    make: ({ folder, archive }) => writeFileSync(archive, runProgram('bsdtar', ['-c', '--format=zip', '.'], folder)),
    peer: 'unzip',
  },
  byPython('stored', 'unzip', { method: 'stored' }),
  byPython('deflated', 'unzip', { method: 'deflated', comment: 'a comment' }),
  byPython('bzip2', 'unzip', { method: 'bzip2' }),
  byPython('lzma', '7zz', { method: 'lzma' }),
  byPython('zip64', 'unzip', { method: 'deflated', is_long: true }),
  byPython('to a pipe', 'unzip', { method: 'deflated', is_stream: true }),
  byPython('to a pipe, zip64', 'unzip', { method: 'stored', is_stream: true, is_long: true }),
  {
    name: 'zstd',
    make: ({ tree, archive }) => writeFileSync(archive, zstdOf(tree)),
    peer: '7zz',
  },
]

/** None of these programs writes it, though 7zz reads it. */
function zstdOf({ files, folders, links }: Tree): Buffer {
  return zip({
    entries: [
      ...folders.map((path) => ({ name: `${path}/`, mode: FOLDER, method: 0 })),
      ...[...files].map(([name, { content, mode }]) => ({ name, content, mode: 0o100000 | mode, method: 93 })),
      ...[...links].map(([name, content]) => ({ name, content, mode: LINK, method: 0 })),
    ],
  })
}

/** Unpacks an archive with the program that is believed. */
export function unpackWithPeer({ peer, password }: Maker, archive: string, folder: string): void {
  const cwd = '/'
  if (peer === '7zz') {
    // Without it, it refuses each link that goes up.
    runProgram('7zz', ['x', '-y', '-snld', `-p${password ?? ''}`, `-o${folder}`, archive], cwd)
    return
  }
  const secret = password === undefined ? [] : ['-P', password]
  // 1: warnings, as of bytes before the archive.
  runProgram('unzip', ['-qq', ...secret, archive, '-d', folder], cwd, '', 1)
}

/** A split archive of a folder: its parts are `.z01`, `.z02`, ... and `.zip`. */
export function makeSplit(folder: string, archive: string): void {
  runProgram('zip', ['-qry', '-0', '-s', '64k', archive, '.'], folder)
}

/** An archive that lacks so many of its last bytes. */
export function cutTail(archive: string, bytes: number): Buffer {
  return readFileSync(archive).subarray(0, -bytes)
}
