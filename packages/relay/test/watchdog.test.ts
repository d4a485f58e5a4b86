import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { watchThread } from '../src/watchdog.ts'

const beating =
  "const { parentPort } = require('node:worker_threads'); setInterval(() => parentPort.postMessage(0), 5);"

test('a thread that stands still is told of and ended', async () => {
  const worker = new Worker(`${beating} setTimeout(() => { for (;;); }, 100)`, { eval: true })
  let told = 0
  watchThread(worker, () => told++, 10)
  await once(worker, 'exit')
  assert.equal(told, 1)
})

test('a thread that says something now and then goes on, and nothing watches what has ended', async () => {
  const worker = new Worker(`${beating} parentPort.once('message', () => process.exit())`, { eval: true })
  let told = 0
  watchThread(worker, () => told++, 10)
  await new Promise((resolve) => setTimeout(resolve, 500))
  worker.postMessage('end')
  await once(worker, 'exit')
  await new Promise((resolve) => setTimeout(resolve, 400))
  assert.equal(told, 0)
})
