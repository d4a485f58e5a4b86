/** Runs a decoder of ours: over an entry that is in memory, or over one that passes through. */
import { type Decoder, ENDS_EARLY, Input, type MakeDecoder, Output, tooLittle, tooMuch } from '../core/coding.ts'
import { Damaged } from '../core/damaged.ts'

/** What is handed on at a time, bytes. */
const PART = 1 << 18

/** Exactly `size` bytes. Throws Damaged. */
export function decodeWhole(make: MakeDecoder, data: Uint8Array, size: number): Buffer {
  // One more than there should be, so that more is noticed; and not all at once, for the size may be a lie.
  const output = new Output(Math.min(size + 1, Math.max(PART, data.length * 8)))
  const decoder = make(new Input(data), output, size)
  let pause = decoder.run()
  while (pause === 'room' && output.bytes.length <= size) {
    output.grow(Math.min(size + 1, output.bytes.length * 2))
    pause = decoder.run()
  }
  if (pause === 'input') throw new Damaged(ENDS_EARLY)
  if (output.at > size) throw tooMuch(size)
  if (output.at < size) throw tooLittle(output.at, size)
  return Buffer.from(output.bytes.buffer, 0, size)
}

/** The content in parts, none of them ever written to again. */
export async function* decodeStream(
  make: MakeDecoder,
  data: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Buffer> {
  const input = new Input()
  const output = new Output(Math.min(size + 1, PART))
  const decoder = make(input, output, size)
  for await (const chunk of data) {
    input.add(chunk)
    if (yield* parts(decoder, output, size)) return
  }
  input.isLast = true
  if (!(yield* parts(decoder, output, size))) throw new Damaged(ENDS_EARLY)
}

/** True at the end. */
function* parts(decoder: Decoder, output: Output, size: number): Generator<Buffer, boolean> {
  for (;;) {
    const pause = decoder.run()
    if (output.total > size) throw tooMuch(size)
    if (pause === 'end' && output.total < size) throw tooLittle(output.total, size)
    const part = output.take()
    if (part.length > 0) yield Buffer.from(part)
    if (pause !== 'room') return pause === 'end'
    makeRoom(output, Math.min(decoder.reach, size))
  }
}

/** Grows until what moves when room is made is a small part of what was decoded. */
function makeRoom(output: Output, reach: number): void {
  const enough = reach + Math.max(PART, reach >> 1)
  const { length } = output.bytes
  if (length < enough) output.grow(Math.min(enough, length * 2 + PART))
  else output.slide(reach)
}
