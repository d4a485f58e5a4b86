/** The terminal of this process. */
import { once } from 'node:events'
import { defaultData, EXIT, type Io } from '@fettle/check'
import { printable } from '@fettle/report'
import { askSecret } from './keyboard.ts'
import { openScreen } from './screen.ts'

/** The process's own streams and signals. */
export function processIo(): Io {
  const { stdout, stderr, env } = process
  let stopper: AbortController | undefined
  const stopping = () => {
    stopper ??= stopAtSignals()
    return stopper
  }
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
      return stopping().signal
    },
    async write(text) {
      if (!stdout.write(text, lost)) await once(stdout, 'drain').catch(() => {})
    },
    print(text) {
      stdout.write(text)
    },
    progress,
    secret: (question) => askSecret(question),
    screen: (pressed) => (canDraw(env) ? openScreen(pressed, () => stopping().abort()) : undefined),
    complain,
  }
}

const canDraw = ({ TERM }: NodeJS.ProcessEnv) => process.stdout.isTTY === true && TERM !== 'dumb'

/** An answer that nobody has got is none, whatever it said; a reader that went away has had enough. */
function lost(error?: NodeJS.ErrnoException | null): void {
  if (error && error.code !== 'EPIPE') process.once('exit', () => (process.exitCode = EXIT.couldNot))
}

/** One line, whatever names stand in it. */
export const complaint = (line: string) => `fettle: ${printable(line.trim().replaceAll(/\s*\n\s*/g, ' '))}`

function stopAtSignals(): AbortController {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => controller.abort())
  return controller
}
