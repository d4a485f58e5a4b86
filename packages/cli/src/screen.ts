/** The whole terminal, drawn upon. Control sequences: ECMA-48, and xterm's private modes (ctlseqs). */
import type { Screen, ScreenLine } from '@fettle/check'
import { CTRL_C, CTRL_D, openKeyboard } from './keyboard.ts'

/** The alternate screen, no cursor, no wrapping: a letter wider than we think shifts no line but its own. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J'
const LEAVE = '\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l'
const BELOW = '\u001b[J'
const LINE = '\u001b[2K'
const ESCAPE = 27
const LOOKS: Readonly<Record<ScreenLine['look'], readonly [begins: string, ends: string]>> = {
  plain: ['', ''],
  title: ['\u001b[1m', '\u001b[0m'],
  fault: ['\u001b[31m', '\u001b[0m'],
}

/** `pressed`: as in `Io`; `stop`: Ctrl-C was pressed, or the terminal is gone. Standard output is a terminal. */
export function openScreen(pressed: (key: string) => void, stop: () => void): Screen {
  const { stdout } = process
  const looks = process.env.NO_COLOR ? { ...LOOKS, fault: LOOKS.plain } : LOOKS
  const keyboard = openKeyboard()
  const hear = (chunk: Buffer) => {
    const [first] = chunk
    // Arrows and the like come as several letters.
    if (first === ESCAPE) return
    if (first === CTRL_C || first === CTRL_D) stop()
    else for (const key of chunk.toString()) pressed(key)
  }
  const size = () => ({ width: stdout.columns || 80, height: stdout.rows || 24 })
  let isOpen = true
  const close = () => {
    if (!isOpen) return
    isOpen = false
    process.off('exit', close)
    keyboard?.close()
    stdout.write(LEAVE)
  }
  // Of an exception that nobody catches Node tells after this, so that it is to be read.
  process.once('exit', close)
  keyboard?.input.on('data', hear).on('end', stop).on('error', stop)
  stdout.write(ENTER)
  return {
    get size() {
      return size()
    },
    show(lines) {
      // A terminal that is slow to draw gets the next picture instead.
      if (!isOpen || stdout.writableNeedDrain) return
      const drawn = lines.map(({ text, look }, i) => {
        const [begins, ends] = looks[look]
        return `\u001b[${i + 1};1H${LINE}${begins}${text}${ends}`
      })
      const after = lines.length < size().height ? `\u001b[${lines.length + 1};1H${BELOW}` : ''
      stdout.write(drawn.join('') + after)
    },
    close,
  }
}
