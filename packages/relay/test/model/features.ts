/** What happens in a case, so that the model test can tell whether its streams reach what it is to test. */
import { type Account, countersOf, qualityOf } from './account.ts'
import { type Case, referenceOf } from './cases.ts'
import type { Reference } from './reference.ts'

const accountFeatures: Readonly<Record<string, (one: Account) => boolean>> = {
  held: (one) => one.state === 'held',
  open: (one) => one.state === 'open',
  deleted: (one) => one.ended === 'deleted',
  expired: (one) => one.ended === 'expired',
  restarted: (one) => one.ended === 'restarted',
  superseded: (one) => one.ended === 'superseded',
  'remembered no longer': (one) => one.ended === 'expired' && one.state === 'gone',
  goodbye: (one) => one.goodbyeAt !== null,
  exact: (one) => qualityOf(one) === 'exact',
  'exact without peers': (one) => qualityOf(one) === 'exact' && !one.peerHeard,
  'lower bound, closed': (one) => one.state === 'gone' && qualityOf(one) === 'lower_bound',
  'lower bound with the client total': (one) => qualityOf(one) === 'lower_bound' && one.sides[0].total !== null,
  ambiguous: (one) => qualityOf(one) === 'ambiguous',
  'start missed': (one) => one.session !== null && one.openedAt === null,
  unheard: (one) => one.unheard[1] > 0,
  'peer total above 4 GiB': (one) => one.sides[1].total !== null && countersOf(one, 1).some((n) => n > 2 ** 32),
  'late report': (one) => one.sides[0].late.length > 0,
  'late peer report': (one) => one.sides[1].late.length > 0,
  'late total': (one) => one.ended === 'expired' && one.sides[0].total !== null,
  'carries by its client side': (one) => one.carries && !one.peerHeard,
  'carries by its peer side': (one) => one.carries && one.peerHeard,
  'did not carry': (one) => one.session !== null && !one.carries,
  'carries as of its end': (one) => one.carrierAt !== null && one.carrierAt === one.closedAt,
  'without times': (one) => one.session !== null && one.heardAt === null,
  gap: (one) => one.gap,
  'second incarnation': (one) => one.ended === 'superseded' && one.gap,
}

const streamFeatures: Readonly<Record<string, (reference: Reference, one: Case) => boolean>> = {
  rejected: ({ rejected }) => rejected.some(({ username }) => username !== null),
  'rejected together': ({ rejected }) => rejected.some(({ username }) => username === null),
  'rejected again': ({ rejected }) => rejected.some(({ allocations }) => allocations > 1),
  'session of several': ({ sessions }) => sessions.all.some(({ members }) => members.size > 1),
  'session across servers': ({ sessions }) =>
    sessions.all.some(({ members }) => new Set(Array.from(members, ({ stream }) => stream)).size > 1),
  'several sessions of a key': ({ sessions }) => new Set(sessions.all.map(({ key }) => key)).size < sessions.all.length,
  'session final': ({ sessions }) => sessions.all.some(({ settledAt }) => settledAt !== null),
  'session revised': ({ sessions }) => sessions.all.some(({ revision }) => revision > 0),
  'session left for another': ({ sessions }) => sessions.all.some(({ left }) => left > 0),
  'report over several buckets': (reference) =>
    reference.usage().some(([account, bucket], i, all) => all[i + 2]?.[0] === account && all[i + 2]![1] > bucket),
  'boots of a server': (_, { events }) => events.some((event) => event.kind === 'restarted'),
}

export const features: readonly string[] = [...Object.keys(accountFeatures), ...Object.keys(streamFeatures)]

export function featuresOf(one: Case): string[] {
  const reference = referenceOf(one)
  const proved = reference.accounts.filter(({ state }) => state !== 'rejected')
  return [
    ...Object.keys(accountFeatures).filter((word) => proved.some(accountFeatures[word]!)),
    ...Object.keys(streamFeatures).filter((word) => streamFeatures[word]!(reference, one)),
  ]
}
