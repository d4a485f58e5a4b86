/** Which descriptors a process waits for right now, as the kernel tells (proc(5), /proc/PID/syscall). */
import { closeSync, openSync, readSync } from 'node:fs'
import { endianness } from 'node:os'
import { textOf } from './processes.ts'

interface Calls {
  /** Their first argument is the one that is waited for: read, write, recv, send, connect and their kin. */
  readonly one: readonly number[]
  /** Of an array in the memory of the process: poll and ppoll. */
  readonly many: readonly number[]
  /** Of all that were put into it: epoll_wait, epoll_pwait and epoll_pwait2. */
  readonly epoll: readonly number[]
  /** They wait for processes, locks and clocks: wait4, waitid, futex, nanosleep, clock_nanosleep. */
  readonly none: readonly number[]
}

/** By numbers of the kernel (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h). */
const CALLS: Readonly<Partial<Record<NodeJS.Architecture, Calls>>> = {
  x64: {
    one: [0, 1, 17, 18, 19, 20, 42, 44, 45, 46, 47],
    many: [7, 271],
    epoll: [232, 281, 441],
    none: [35, 61, 202, 230, 247],
  },
  arm64: {
    one: [63, 64, 65, 66, 67, 68, 203, 206, 207, 211, 212],
    many: [73],
    epoll: [22, 441],
    none: [95, 98, 101, 115, 260],
  },
}

/** `struct pollfd`: the descriptor, and two half words. */
const POLL_BYTES = 8
const POLL_MAX = 64

/** Empty: for none; null: it does not wait, or nobody may know. */
export function awaitedBy(pid: number): readonly number[] | null {
  const calls = CALLS[process.arch]
  const [number, first, second] = (textOf(`/proc/${pid}/syscall`) ?? '').split(' ')
  if (calls === undefined || !/^\d+$/.test(number ?? '') || first === undefined || second === undefined) return null
  const call = Number(number)
  if (calls.one.includes(call)) return [Number(first)]
  if (calls.none.includes(call)) return []
  if (calls.epoll.includes(call)) return gathered(pid, Number(first))
  return calls.many.includes(call) ? polled(pid, BigInt(first), Math.min(POLL_MAX, Number(second))) : null
}

/** `tfd:        5 events:       19 ...`, a line each (proc(5), /proc/PID/fdinfo). */
function gathered(pid: number, descriptor: number): readonly number[] | null {
  const text = textOf(`/proc/${pid}/fdinfo/${descriptor}`)
  return text === undefined ? null : Array.from(text.matchAll(/^tfd:\s*(\d+)/gm), ([, one]) => Number(one))
}

function polled(pid: number, at: bigint, count: number): readonly number[] | null {
  const bytes = Buffer.alloc(count * POLL_BYTES)
  try {
    const memory = openSync(`/proc/${pid}/mem`, 'r')
    try {
      if (readSync(memory, bytes, 0, bytes.length, at) < bytes.length) return null
    } finally {
      closeSync(memory)
    }
  } catch {
    return null
  }
  const read = (i: number) => (endianness() === 'LE' ? bytes.readInt32LE(i) : bytes.readInt32BE(i))
  return Array.from({ length: count }, (_, i) => read(i * POLL_BYTES)).filter((one) => one >= 0)
}
