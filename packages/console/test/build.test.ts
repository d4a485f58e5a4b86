import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { build } from '../build.ts'

const KB = 1000

test('the built page is small, has nothing inline that a strict policy forbids, and holds no schemas', async () => {
  const { dist } = await build()
  assert.equal((await build()).fresh, false, 'it was built twice')
  const page = readFileSync(join(dist, 'index.html'), 'utf8')
  assert.doesNotMatch(page, /<style|<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|https?:(?!\/\/www\.w3\.org\/2000\/svg)/)

  const assets = readdirSync(join(dist, 'assets')).map((name) => readFileSync(join(dist, 'assets', name)))
  const sum = (sizes: number[]) => sizes.reduce((a, b) => a + b, 0)
  assert.ok(sum(assets.map((asset) => asset.length)) < 150 * KB)
  assert.ok(sum(assets.map((asset) => gzipSync(asset).length)) < 52 * KB)
  // Every one of the meter's schemas has this word in zod's own code.
  assert.ok(!assets.some((asset) => asset.includes('ZodError')), 'the page has taken zod in')
})
