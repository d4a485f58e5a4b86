/** What /proc tells of processes and their sockets. */
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { readSockets, type Socket } from '../core/server/sockets.ts'
import { isKeptByRoot, isOfRoot } from '../core/server/trust.ts'
import { isAllTheWay } from './trust.ts'

export interface Process {
  readonly pid: number
  readonly parent: number
  /** In clock ticks since the machine started. */
  readonly started: number
  readonly name: string
  /** It has ended, and whoever has started it has not asked. */
  readonly isOver: boolean
}

/** What /proc says of it; undefined: it is gone. */
export function processOf(pid: number): Process | undefined {
  const stat = textOf(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  const from = stat.indexOf('(')
  const to = stat.lastIndexOf(')')
  const fields = stat.slice(to + 2).split(' ')
  const isOver = fields[0] === 'Z' || fields[0] === 'X'
  return { pid, isOver, parent: Number(fields[1]), started: Number(fields[19]), name: stat.slice(from + 1, to) }
}

export const processes = (): Process[] =>
  namesIn('/proc').flatMap((name) => (/^\d+$/.test(name) ? (processOf(Number(name)) ?? []) : []))

/** It and all that it has started. */
export function treeOf(pid: number): Process[] {
  const tree = [processOf(pid) ?? []].flat()
  for (const one of tree) tree.push(...childrenOf(one.pid))
  return tree
}

function childrenOf(pid: number): Process[] {
  const tasks = namesIn(`/proc/${pid}/task`)
  const lists = tasks.map((task) => textOf(`/proc/${pid}/task/${task}/children`))
  // Kernels may be built without it.
  if (tasks.length > 0 && lists[0] === undefined) return processes().filter(({ parent }) => parent === pid)
  const numbers = lists.flatMap((list) => list?.match(/\d+/g) ?? [])
  return numbers.flatMap((one) => processOf(Number(one)) ?? [])
}

export const textOf = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

export function linkOf(file: string): string | undefined {
  try {
    return readlinkSync(file)
  } catch {
    return undefined
  }
}

/** The program that runs, or the script that an interpreter runs; never what it was given. */
export function programOf(pid: number): string | undefined {
  const exe = exeOf(pid)
  if (
    exe === undefined ||
    !/\/(?:ba|da|z|k|fi)?sh$|\/busybox$|\/(?:python|perl|ruby|node|php|lua|tclsh)[\d.]*$/.test(exe)
  ) {
    return exe
  }
  const [, ...args] = (textOf(`/proc/${pid}/cmdline`) ?? '').split('\0')
  const script = args.find((one) => !one.startsWith('-') && one !== '')
  // What follows -c is a command.
  if (script === undefined || args.slice(0, args.indexOf(script)).some((one) => /^-\w*c$/.test(one))) return exe
  const path = script.startsWith('/') ? script : join(linkOf(`/proc/${pid}/cwd`) ?? '/', script)
  return isFile(path) ? path : exe
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** What it has open, by descriptor: `socket:[4711]`, or a path. */
export function openOf(pid: number): [descriptor: number, to: string][] {
  const folder = `/proc/${pid}/fd`
  return namesIn(folder).flatMap((name): [number, string][] => {
    const to = linkOf(join(folder, name))
    return to === undefined ? [] : [[Number(name), to]]
  })
}

export const socketIn = (to: string): string | undefined => /^socket:\[(\d+)\]$/.exec(to)?.[1]

/** Numbers of its sockets. */
const socketsOf = (pid: number): string[] => openOf(pid).flatMap(([, to]) => socketIn(to) ?? [])

/** Those of the network that we are in. */
export const networkSockets = (): Socket[] =>
  (['tcp', 'udp'] as const).flatMap((protocol) =>
    [protocol, `${protocol}6`].flatMap((name) => readSockets(textOf(`/proc/net/${name}`) ?? '', protocol)),
  )

export interface Listener {
  readonly pid: number
  /** Of its open sockets: others, once it has begun anew. */
  readonly inodes: readonly string[]
  readonly at: readonly { readonly address: string; readonly port: number }[]
}

/** Its program, which may have been replaced since. */
export const exeOf = (pid: number): string | undefined => linkOf(`/proc/${pid}/exe`)?.replace(/ \(deleted\)$/, '')

/** Anybody may call a process sshd and let it listen; what it was started with, and its program, are believed. */
function isRealSshd({ pid, name }: Process): boolean {
  const exe = name === 'sshd' && isOfRoot(textOf(`/proc/${pid}/status`) ?? '') ? exeOf(pid) : undefined
  if (exe === undefined || basename(exe) !== 'sshd') return false
  return isAllTheWay(existsSync(exe) ? exe : dirname(exe), isKeptByRoot)
}

/** sshd as it waits for connections. The one that has started the others is the first. */
export function listeners(): Listener[] {
  const open = networkSockets().filter(({ isListening }) => isListening)
  const byInode = new Map(open.map((one) => [one.inode, one.local]))
  return processes()
    .filter(isRealSshd)
    .flatMap(({ pid }): Listener[] => {
      const inodes = socketsOf(pid).filter((inode) => byInode.has(inode))
      return inodes.length === 0 ? [] : [{ pid, inodes, at: inodes.map((inode) => byInode.get(inode)!) }]
    })
    .sort((a, b) => (processOf(a.pid)?.started ?? 0) - (processOf(b.pid)?.started ?? 0))
}

/** What sshd was started with; it calls itself `sshd: /usr/sbin/sshd -D -f FILE [listener] 0 of 10-100 startups`. */
export function startWords(pid: number): string[] {
  const text = (textOf(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').replace(/ \[listener\].*$/, '')
  return text
    .replace(/^sshd: /, '')
    .trim()
    .split(/\s+/)
    .slice(1)
}
