/** A browser's calls through a real coturn, as the API and the page show them. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { build } from '@fettle/console/build'
import type { SessionPage, TailEvent } from '@fettle/relay/api'
import { chromium, type Page } from 'playwright-core'
import { LISTENING_PORT, readLog, SECRET, startCoturn } from './coturn.ts'
import { ask, type Meter, startMeter } from './fettle.ts'
import { find, Ground, until } from './harness.ts'

/** Both ends of a call in one page, which may reach each other through the relay only. */
async function startCall(page: Page, url: string, ends: readonly { username: string; credential: string }[]) {
  await page.evaluate(
    async ([url, first, second]) => {
      const peers = [first, second].map(
        (one) => new RTCPeerConnection({ iceTransportPolicy: 'relay', iceServers: [{ urls: url, ...one }] }),
      ) as [RTCPeerConnection, RTCPeerConnection]
      const [a, b] = peers
      a.onicecandidate = ({ candidate }) => candidate && b.addIceCandidate(candidate)
      b.onicecandidate = ({ candidate }) => candidate && a.addIceCandidate(candidate)
      const canvas = document.createElement('canvas')
      const context = canvas.getContext('2d')!
      setInterval(() => {
        context.fillStyle = `hsl(${Math.random() * 360} 90% 50%)`
        context.fillRect(Math.random() * 300, Math.random() * 150, 80, 80)
      }, 40)
      const stream = canvas.captureStream(25)
      for (const track of stream.getTracks()) a.addTrack(track, stream)
      const channel = a.createDataChannel('data')
      b.ondatachannel = () => {}
      await a.setLocalDescription()
      await b.setRemoteDescription(a.localDescription!)
      await b.setLocalDescription()
      await a.setRemoteDescription(b.localDescription!)
      await new Promise((resolve) => {
        channel.onopen = resolve
      })
      Object.assign(window, { call: { peers, channel } })
    },
    [url, ...ends] as const,
  )
}

/** Sends so many bytes over the data channel. */
const send = (page: Page, bytes: number) =>
  page.evaluate(async (bytes) => {
    const { channel } = (window as unknown as { call: { channel: RTCDataChannel } }).call
    const block = new Uint8Array(16_384)
    channel.bufferedAmountLowThreshold = 65_536
    for (let sent = 0; sent < bytes; sent += block.length) {
      channel.send(block)
      if (channel.bufferedAmount > 1_000_000) {
        await new Promise((resolve) => {
          channel.onbufferedamountlow = resolve
        })
      }
    }
    while (channel.bufferedAmount > 0) await new Promise((resolve) => setTimeout(resolve, 50))
  }, bytes)

/** What the browser itself counted on its candidate pairs, both ends, then hangs up. */
const hangUp = (page: Page) =>
  page.evaluate(async () => {
    const { peers } = (window as unknown as { call: { peers: RTCPeerConnection[] } }).call
    const counted: { sent: number; received: number }[] = []
    for (const peer of peers) {
      const sum = { sent: 0, received: 0 }
      for (const one of (await peer.getStats()).values()) {
        if (one.type !== 'candidate-pair') continue
        sum.sent += one.bytesSent
        sum.received += one.bytesReceived
      }
      counted.push(sum)
    }
    for (const peer of peers) peer.close()
    return counted
  })

/** The meter's events as they come, each with the moment at which it was here. */
async function tail(meter: Meter, t: TestContext): Promise<{ event: TailEvent; at: number }[]> {
  const heard: { event: TailEvent; at: number }[] = []
  const stop = new AbortController()
  t.after(() => stop.abort())
  const answer = await fetch(`${meter.http}/v1/events`, {
    headers: { authorization: `Bearer ${meter.token}` },
    signal: stop.signal,
  })
  const read = async () => {
    let text = ''
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      const messages = text.split('\n\n')
      text = messages.pop()!
      for (const message of messages) {
        const data = /^data: (.*)$/m.exec(message)?.[1]
        if (data?.includes('"allocation"')) heard.push({ event: JSON.parse(data), at: performance.now() })
      }
    }
  }
  read().catch(() => {})
  return heard
}

test('a call between two browsers: on the API and on the page within a second of its report, closed with exact totals', async (t) => {
  await build()
  const ground = new Ground(t)
  const meter = await startMeter(ground)
  const coturn = await startCoturn(ground, meter.statsdb)
  await until('coturn connected', () => meter.running.output.includes('coturn turn1 connected'))
  const heard = await tail(meter, t)
  const browser = await chromium.launch({
    executablePath: find('chromium'),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  })
  t.after(() => browser.close())
  const view = await browser.newPage()
  await view.goto(`${meter.http}/#token=${meter.token}`)
  const caller = await browser.newPage()
  await caller.goto(`${meter.http}/healthz`)
  const expiry = Math.floor(Date.now() / 1000) + 3600
  const ends = ['rtc-alice', 'rtc-bob'].map((name) => {
    const username = `${expiry}:${name}`
    return { username, credential: createHmac('sha1', SECRET).update(username).digest('base64') }
  })
  const onPage = view.getByText('rtc-alice').first().waitFor({ timeout: 20_000 })
  const seenOnPage = onPage.then(() => performance.now())
  const seenOnApi = (async () => {
    for (;;) {
      const { sessions } = await ask<SessionPage>(meter, '/v1/sessions?device=rtc-alice')
      if (sessions.length > 0) return performance.now()
      await wait(20)
    }
  })()
  await startCall(caller, `turn:${ground.address(3)}:${LISTENING_PORT}?transport=udp`, ends)
  const reported = (
    await until('the report of rtc-alice', () => heard.find(({ event }) => event.device === 'rtc-alice'))
  ).at
  const delays = { page: (await seenOnPage) - reported, api: (await seenOnApi) - reported }
  assert.ok(delays.page < 1000 && delays.api < 1000, JSON.stringify(delays))
  t.diagnostic(
    `after coturn's report: on the API in ${delays.api.toFixed(0)} ms, on the page in ${delays.page.toFixed(0)} ms`,
  )

  await send(caller, 8_000_000)
  await wait(2000)
  const counted = await hangUp(caller)
  const closed = await until('the records of both', async () => {
    const { sessions } = await ask<SessionPage>(meter, '/v1/sessions?class=relayed')
    // coturn says that an allocation is gone a moment before its totals.
    const isClosed = ({ state, quality }: (typeof sessions)[number]) => state !== 'open' && quality !== 'lower_bound'
    return sessions.length === 2 && sessions.every(isClosed) && sessions
  })
  const log = readLog(coturn)
  for (const [i, device] of ['rtc-alice', 'rtc-bob'].entries()) {
    const session = closed.find((one) => one.device === device)!
    assert.equal(session.quality, 'exact')
    assert.equal(session.end, 'deleted')
    // On a busy machine a browser may ask again, and have one that carries nothing.
    for (const { id, client, peer } of session.allocations.filter(({ carries }) => carries)) {
      const logged = log.get(id)!
      assert.deepEqual(
        [client, peer].map((one) => [one!.receivedPackets, one!.receivedBytes, one!.sentPackets, one!.sentBytes]),
        [logged.client, logged.peer],
      )
    }
    // coturn's peer side is the browser's payload and its connectivity checks; the client side adds TURN's own headers.
    // On a busy machine some packets do not reach coturn and some get lost behind it: then the ends count different bytes.
    const relayed = session.peer!.sentBytes
    const above = relayed - counted[i]!.sent
    assert.ok(above < 50_000, `${device}: ${above}`)
    const arrived = counted[1 - i]!.received
    assert.ok(arrived > 0 && relayed >= arrived, `${device}: ${relayed} relayed, ${arrived} arrived`)
    assert.ok(session.client.receivedBytes > session.peer!.sentBytes)
    t.diagnostic(
      `${device}: getStats ${counted[i]!.sent} B sent; coturn's peer side +${above} B (checks), ` +
        `client side +${session.client.receivedBytes - counted[i]!.sent} B (headers)`,
    )
  }
  await view.getByText('exact').first().waitFor({ timeout: 5000 })
})
