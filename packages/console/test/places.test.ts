import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keptAt } from '../src/reports/kept-at.ts'
import { type Route, readRoute, readToken, writeRoute } from '../src/route.ts'
import { questionOf } from '../src/sessions/records-query.ts'

process.env.TZ = 'Asia/Kolkata'

test('every place has an address that leads back to it', () => {
  const routes: Route[] = [
    { page: 'live' },
    { page: 'session', id: 12 },
    { page: 'sessions', search: '' },
    { page: 'sessions', search: 'device=a%3Fb&realm=x' },
    { page: 'reports', search: '' },
    { page: 'reports', search: 'tool=redis+explain&subject=a%3Fb' },
    { page: 'report', name: '2026-01-01T120000.000Z-redis-explain-info.txt.json' },
    { page: 'comparison', before: '2026-01-01T120000.000Z-a.json', after: '2026-01-02T120000.000Z-a.json' },
  ]
  assert.deepEqual(
    routes.map((route) => readRoute(writeRoute(route))),
    routes,
  )
})

test('what is no address of the page leads to the live one', () => {
  const sessions = ['#/sessions/x', '#/sessions/1/2', '#/sessions/99999999999999999']
  const reports = [
    '#/reports/..',
    '#/reports/2026/..',
    '#/reports/2026%2F',
    '#/reports/token',
    '#/reports/compare?after=1',
  ]
  for (const hash of ['', '#', '#/nowhere', ...sessions, ...reports]) {
    assert.deepEqual(readRoute(hash), { page: 'live' }, hash)
  }
})

test('when a report was kept stands in its name', () => {
  assert.equal(keptAt('2026-01-01T120500.250Z-redis-explain-info.txt.json'), '2026-01-01T12:05:00.250Z')
  for (const name of ['2026-01-01.json', '2026-13-01T120000.000Z-a.json', '']) assert.equal(keptAt(name), null, name)
})

test('a token is taken from an address that has nothing else', () => {
  assert.equal(readToken('#token=a-b_C1'), 'a-b_C1')
  assert.equal(readToken('#token=a%2Fb'), 'a/b')
  assert.equal(readToken('#token=a%'), 'a%')
  assert.equal(readToken('#token='), undefined)
  assert.equal(readToken('#/sessions?device=token=x'), undefined)
})

test('days are the days of the viewer, the last one included; other filters go as they are, unknown ones do not', () => {
  const asked = questionOf('from=2026-11-01&to=2026-11-30&device=a b&realm=&x=1', undefined)
  assert.deepEqual(Object.fromEntries(asked), {
    from: '2026-10-31T18:30:00.000Z',
    to: '2026-11-30T18:30:00.000Z',
    device: 'a b',
    limit: '100',
  })
  assert.equal(questionOf('from=yesterday', '17').toString(), 'limit=100&cursor=17')
})
