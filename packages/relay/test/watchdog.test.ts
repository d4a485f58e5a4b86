import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { watchThread } from '../src/watchdog.ts'

/** A busy machine may let a thread wait for a while. */
const BEAT_MS = 25
const beating =
  "const { parentPort } = require('node:worker_threads'); setInterval(() => parentPort.postMessage(0), 5);"

test('a thread that stands still is told of and ended', async () => {
  const worker = new Worker(`${beating} setTimeout(() => { for (;;); }, 100)`, { eval: true })
  await once(worker, 'message')
  let told = 0
  watchThread(worker, () => told++, BEAT_MS)
  await once(worker, 'exit')
  assert.equal(told, 1)
})

test('a thread that says something now and then goes on, and nothing watches what has ended', async () => {
  const worker = new Worker(`${beating} parentPort.once('message', () => process.exit())`, { eval: true })
  const ended = once(worker, 'exit')
  await once(worker, 'message')
  let told = 0
  watchThread(worker, () => told++, BEAT_MS)
  await new Promise((resolve) => setTimeout(resolve, 35 * BEAT_MS))
  worker.postMessage('end')
  await ended
  await new Promise((resolve) => setTimeout(resolve, 35 * BEAT_MS))
  assert.equal(told, 0)
})
