/** What a person types, at the terminal itself: wherever standard input and output lead. */
import { openSync } from 'node:fs'
import type { ReadStream } from 'node:tty'
import { printable } from '@fettle/report'

/** Key by key and without being shown, until it is closed; undefined: nobody sits there. */
export function openKeyboard(): { readonly input: ReadStream; close(): void } | undefined {
  // With node:net, which it needs, it takes 1.5 ms to load (Node 24), and hardly ever is anything typed.
  const tty = process.getBuiltinModule('node:tty')
  let input: ReadStream
  try {
    input = new tty.ReadStream(openSync('/dev/tty', 'r+'))
  } catch {
    return undefined
  }
  input.setRawMode(true)
  return {
    input,
    close() {
      input.setRawMode(false)
      input.destroy()
    },
  }
}

/** In raw mode the terminal does nothing about Ctrl-C and Ctrl-D. */
export const [CTRL_C, CTRL_D] = [3, 4] as const
const [ENTER, FEED, BACKSPACE, DELETE] = [13, 10, 8, 127] as const

export async function askSecret(question: string): Promise<string | undefined> {
  const keyboard = openKeyboard()
  if (keyboard === undefined) return undefined
  try {
    process.stderr.write(printable(question))
    return await typedLine(keyboard.input)
  } finally {
    keyboard.close()
    process.stderr.write('\n')
  }
}

/** Enter ends a line. */
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
