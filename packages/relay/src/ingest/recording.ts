/** Recordings of coturn's events, in the forms in which people have them (rule R27). */
import { logKind } from './log.ts'
import { type Recorder, type RecordingKind, textReader } from './recorder.ts'
import { monitorKind, pastedKind, plainKind, tabbedKind } from './redis-text.ts'

const encoder = new TextEncoder()

/** All forms; the first that detects a file reads it. */
export const recordingKinds: readonly RecordingKind[] = [
  captureForm(),
  monitorKind,
  tabbedKind,
  pastedKind,
  plainKind,
  logKind,
]

/** Our own capture of RESP commands: epoch ms, TAB, connection, TAB, arguments as JSON or `# connect`, `# close`. */
function captureForm(): RecordingKind {
  const line = /^(\d{12,14}(?:\.\d+)?)\t([^\t]+)\t(\[.*\]|# connect|# close)$/
  return {
    name: 'resp',
    bootAware: true,
    detect: (lines) => lines.some((text) => line.test(text)),
    reader: () =>
      textReader((text, out) => {
        const [, time, connection, what] = line.exec(text) ?? []
        if (time === undefined || connection === undefined || what === undefined) return
        out.at(Number(time))
        // A capture that broke off did not see its connections close.
        if (what === '# close' || what === '# connect') out.disconnected(connection)
        else captured(connection, readArguments(what), out)
      }),
  }
}

function captured(connection: string, words: readonly string[], out: Recorder): void {
  const [command, channel, message] = words
  if (command === 'keys') out.keys()
  if (command !== 'publish' || channel === undefined || message === undefined) return
  out.connection(connection)
  out.publish(encoder.encode(channel), encoder.encode(message))
}

function readArguments(json: string): string[] {
  try {
    const values: unknown = JSON.parse(json)
    if (!Array.isArray(values) || !values.every((value) => typeof value === 'string')) return []
    return [values[0]?.toLowerCase() ?? '', ...values.slice(1)]
  } catch {
    return []
  }
}
