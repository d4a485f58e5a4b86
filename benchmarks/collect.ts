/** Loaded before a subject, in each of its threads: lets it collect the garbage of all of them. */
import { BroadcastChannel } from 'node:worker_threads'

const everyThread = new BroadcastChannel('collect')
everyThread.onmessage = () => globalThis.gc?.()
everyThread.unref()

/** A thread that was busy may still be at it. */
const COLLECT_MS = 500

export async function collect(): Promise<void> {
  const channel = new BroadcastChannel('collect')
  channel.postMessage('now')
  await new Promise((resolve) => setTimeout(resolve, COLLECT_MS))
  channel.close()
}
