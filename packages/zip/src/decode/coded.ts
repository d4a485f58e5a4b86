/** Runs a decoder of ours: over an entry that is in memory, or over one that passes through. */
import { type Decoder, ENDS_EARLY, Input, type MakeDecoder, Output, TOO_MUCH } from '../core/coding.ts'
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
  if (pause === 'input' || (pause === 'end' && output.at < size)) throw new Damaged(ENDS_EARLY)
  if (output.at > size) throw new Damaged(TOO_MUCH(size))
  return Buffer.from(output.bytes.buffer, 0, size)
}

/** The content in parts, none of them ever written to again. `reach`: how far back the decoder looks, bytes. */
export async function* decodeStream(
  make: MakeDecoder,
  reach: number,
  data: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Buffer> {
  const input = new Input()
  // What moves when room is made is then a small part of what was decoded.
  const output = new Output(Math.min(reach, size) + Math.max(PART, reach >> 1))
  const decoder = make(input, output, size)
  for await (const chunk of data) {
    input.add(chunk)
    if (yield* parts(decoder, output, reach, size)) return
  }
  input.isLast = true
  if (!(yield* parts(decoder, output, reach, size))) throw new Damaged(ENDS_EARLY)
}

/** True at the end. */
function* parts(decoder: Decoder, output: Output, reach: number, size: number): Generator<Buffer, boolean> {
  for (;;) {
    const pause = decoder.run()
    if (output.total > size) throw new Damaged(TOO_MUCH(size))
    if (pause === 'end' && output.total < size) throw new Damaged(ENDS_EARLY)
    const part = output.take()
    if (part.length > 0) yield Buffer.from(part)
    if (pause !== 'room') return pause === 'end'
    output.slide(Math.min(reach, size))
  }
}
