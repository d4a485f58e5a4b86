/** The terminal of this process. */
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { ReadStream } from 'node:tty'
import { EXIT, type Io } from '@fettle/check'
import { defaultData } from '@fettle/relay'
import { printable } from '@fettle/report'

/** The process's own streams and signals. */
export function processIo(): Io {
  const { stdout, stderr, env } = process
  let stopper: AbortController | undefined
  let isProgressShown = false
  const progress = (line: string) => {
    if (!stderr.isTTY) return
    isProgressShown = line !== ''
    stderr.write(
      `\r\u001b[K${Array.from(printable(line))
        .slice(0, stderr.columns - 1)
        .join('')}`,
    )
  }
  const complain = (line: string) => {
    if (isProgressShown) progress('')
    stderr.write(`${complaint(line)}\n`)
  }
  let failure: string | undefined
  stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    // The reader went away (`| head`): there is nobody to write for.
    const isGone = code === 'EPIPE'
    if (!isGone && code !== failure) complain(`standard output cannot be written (${code})`)
    failure = code
    if (stopper === undefined) process.exit(isGone ? EXIT.nothing : EXIT.couldNot)
    // A meter has more to do than to write its log.
    if (isGone) stopper.abort()
  })
  // Without a reader of complaints there is nobody to complain to.
  stderr.on('error', () => {})
  return {
    environment: env,
    data: env.FETTLE_DATA || defaultData(env),
    isTerminal: stdout.isTTY === true,
    width: stdout.columns || Number(env.COLUMNS) || 1000,
    get signal() {
      stopper ??= stopAtSignals()
      return stopper.signal
    },
    async write(text) {
      if (!stdout.write(text)) await once(stdout, 'drain').catch(() => {})
    },
    print(text) {
      stdout.write(text)
    },
    progress,
    secret: (question) => askSecret(question),
    complain,
  }
}

/** Asks at the terminal itself, wherever standard input and output lead. */
async function askSecret(question: string): Promise<string | undefined> {
  let input: ReadStream
  try {
    input = new ReadStream(openSync('/dev/tty', 'r+'))
  } catch {
    return undefined
  }
  try {
    process.stderr.write(printable(question))
    input.setRawMode(true)
    return await typedLine(input)
  } finally {
    input.setRawMode(false)
    input.destroy()
    process.stderr.write('\n')
  }
}

/** Enter ends a line. In raw mode the terminal does nothing about Ctrl-C and Ctrl-D: here they give up. */
const [ENTER, FEED, CTRL_C, CTRL_D, BACKSPACE, DELETE] = [13, 10, 3, 4, 8, 127] as const

async function typedLine(input: ReadStream): Promise<string | undefined> {
  const typed: number[] = []
  for await (const chunk of input as AsyncIterable<Buffer>) {
    for (const byte of chunk) {
      if (byte === ENTER || byte === FEED) return Buffer.from(typed).toString()
      if (byte === CTRL_C || byte === CTRL_D) return undefined
      takeKey(typed, byte)
    }
  }
  return undefined
}

function takeKey(typed: number[], byte: number): void {
  if (byte === BACKSPACE || byte === DELETE) typed.pop()
  else typed.push(byte)
}

/** One line, whatever names stand in it. */
export const complaint = (line: string) => `fettle: ${printable(line.trim().replaceAll(/\s*\n\s*/g, ' '))}`

function stopAtSignals(): AbortController {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => controller.abort())
  return controller
}
