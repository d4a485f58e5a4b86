/** The API held against the document that it publishes about itself, by a reader of JSON Schema that is not its maker. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Ajv2020, type AnySchema, type ValidateFunction } from 'ajv/dist/2020.js'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { KEPT, type Rig, richRig, TOKEN } from './api-rig.ts'
import { Follower } from './serve-follower.ts'

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly schema: AnySchema & { readonly type?: string }
}

type Content = Readonly<Record<string, { readonly schema: AnySchema }>>

interface Operation {
  readonly security?: readonly unknown[]
  readonly parameters: readonly Parameter[]
  /** Of a POST. */
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content: Content }>>
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, AnySchema>> }
}

class Client {
  readonly origin: string
  readonly document: Document
  readonly #ajv = new Ajv2020({
    strict: true,
    allowUnionTypes: true,
    formats: { ...fullFormats, base64: fullFormats.byte },
  })
  readonly #compiled = new Map<AnySchema, ValidateFunction>()

  constructor(origin: string, document: Document) {
    this.origin = origin
    this.document = document
    // So that the references of a schema lead where they do in the document.
    this.#ajv.addKeyword('components')
  }

  static async of(rig: Rig, context: TestContext): Promise<Client> {
    const origin = await rig.serve(context)
    const answer = await fetch(`${origin}/v1/openapi.json`)
    return new Client(origin, (await answer.json()) as Document)
  }

  get operations(): (readonly [path: string, Operation])[] {
    return Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => {
        assert.equal(method, operation.requestBody === undefined ? 'get' : 'post')
        return [path, operation] as const
      }),
    )
  }

  /** What is wrong with it; nothing when it fits. */
  faultsOf(schema: AnySchema, value: unknown): string {
    const { components } = this.document
    const fits = this.#compiled.get(schema) ?? this.#ajv.compile({ ...(schema as object), components })
    this.#compiled.set(schema, fits)
    return fits(value) ? '' : this.#ajv.errorsText(fits.errors)
  }

  /** Asks, and fails on an answer that the document does not know. */
  async ask(path: string, operation: Operation, headers: Record<string, string> = {}, sent: unknown = EMPTY) {
    const isPost = operation.requestBody !== undefined
    const method = isPost ? 'POST' : isStream(operation) ? 'HEAD' : 'GET'
    const response = await fetch(this.origin + path, {
      method,
      headers: {
        Authorization: `Bearer ${TOKEN}`,
        ...(isPost ? { 'Content-Type': 'application/json' } : {}),
        ...headers,
      },
      ...(isPost ? { body: JSON.stringify(sent) } : {}),
    })
    const where = `${path}: ${response.status}`
    const said = operation.responses[response.status] ?? operation.responses.default
    const type = response.headers.get('content-type')?.split(';')[0] ?? ''
    assert.ok(said !== undefined && type in said.content, `${where} ${type}`)
    if (method === 'HEAD') return { status: response.status, body: '' }
    const text = await response.text()
    const body: unknown = type.endsWith('json') ? JSON.parse(text) : text
    assert.equal(this.faultsOf(said.content[type]!.schema, body), '', where)
    return { status: response.status, body }
  }
}

const isStream = ({ responses }: Operation) => 'text/event-stream' in responses['200']!.content

const NO_REPORT = KEPT[0].replace('info', 'none')
/** For the parameters that have to be given: what is there, and what is not. */
const there: Readonly<Record<string, string>> = { id: '1', name: KEPT[0], before: KEPT[0], after: KEPT[1] }
const nowhere: typeof there = { id: '77', name: NO_REPORT, after: NO_REPORT }

/** With all that has to be given, and `more`. */
function addressOf(path: string, { parameters }: Operation, more: typeof there = {}): string {
  const values = { ...there, ...more }
  const asked = parameters.filter((one) => one.in === 'query' && (one.required || one.name in more))
  const query = asked.map(({ name }) => `${name}=${values[name]}`)
  const filled = path.replace(/\{(\w+)\}/, (_, name: string) => values[name]!)
  return query.length === 0 ? filled : `${filled}?${query.join('&')}`
}

/** A reconciliation in which nothing is to be done. */
const EMPTY = { completions: [], additions: [] }

test('every answer is one that the document knows: all well, refused, unknown, asked wrongly', async (context) => {
  const client = await Client.of(richRig(context), context)
  // What makes a commit comes last: all else is of the first one.
  const isPost = ([, operation]: readonly [string, Operation]) => Number(operation.requestBody !== undefined)
  for (const [path, operation] of client.operations.toSorted((a, b) => isPost(a) - isPost(b))) {
    const open = operation.security?.length === 0
    const one = addressOf(path, operation)
    const none = addressOf(path, operation, nowhere)
    const { status, body } = await client.ask(one, operation)
    assert.equal(status, 200, path)
    const isJson = 'application/json' in operation.responses['200']!.content
    if (isJson && operation.requestBody === undefined && !path.startsWith('/v1/reports')) {
      assert.equal((body as { commit: number }).commit, 1, path)
    }
    assert.equal((await client.ask(one, operation, { Authorization: 'Bearer wrong' })).status, open ? 200 : 401, path)
    assert.equal((await client.ask(one, operation, { 'Sec-Fetch-Site': 'cross-site' })).status, open ? 200 : 403, path)
    if (none !== one) assert.equal((await client.ask(none, operation)).status, 404, path)
    else if (operation.requestBody === undefined) {
      assert.equal((await client.ask(`${path}?colour=red`, operation)).status, 400, path)
    }
  }
  const { body } = await client.ask('/v1/sessions', client.document.paths['/v1/sessions']!.get!, { Accept: 'text/csv' })
  assert.match(String(body), /^id,realm,device/)
})

test('what the document says of a body is what the API takes', async (context) => {
  const client = await Client.of(richRig(context), context)
  const operation = client.document.paths['/v1/reconcile']!.post!
  const { schema } = operation.requestBody!.content['application/json']!
  for (const sent of [EMPTY, {}, [], null, { ...EMPTY, more: 1 }, { ...EMPTY, completions: [{ allocation: 1 }] }]) {
    const { status } = await client.ask('/v1/reconcile', operation, {}, sent)
    assert.equal(status, client.faultsOf(schema, sent) === '' ? 200 : 400, JSON.stringify(sent))
  }
  assert.equal((await client.ask('/v1/reconcile', operation, { 'Content-Type': 'text/plain' })).status, 415)
})

/** Something for every parameter, and something against it. */
const values = [
  ...['', '0', '1', '2', '-1', '1.5', '1000', '1001', '999999999999999', '9999999999999999', 'one', '1-0', '1-', '%00'],
  ...['true', 'false', 'yes', 'open', 'ended', 'final', 'closed', 'relayed', 'unused'],
  ...['account', 'device', 'realm', 'server', 'session', '5m', '1h', '1d', '1w', 'WzAsImFsaWNlIl0'],
  ...[
    '2026-01-01',
    '2026-02-30',
    '2026-1-1',
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00%2B02:00',
    '2026-01-01T00:00',
  ],
  ...[...KEPT, NO_REPORT, '2026-02-30T000000.000Z-x.json', '..%2Ftoken', `${KEPT[0]}%00`, `reports%2F${KEPT[0]}`],
  ...['x'.repeat(4096), 'x'.repeat(4097), 'x'.repeat(10_001)],
]

/** Which of the values are taken; fails where the document says otherwise. */
async function takenOf(client: Client, path: string, operation: Operation, parameter: Parameter) {
  const { name, schema } = parameter
  const inPath = parameter.in === 'path'
  const taken = new Set<boolean>()
  for (const value of values) {
    // Without it there is another path.
    if (inPath && value === '') continue
    const address = addressOf(path, operation, { [name]: value })
    const isTaken = (await client.ask(address, operation)).status !== 400
    taken.add(isTaken)
    const isNumber = schema.type === 'integer' && /^-?\d+(\.\d+)?$/.test(value)
    const isSaid = client.faultsOf(schema, isNumber ? Number(value) : decodeURIComponent(value)) === ''
    // A cursor is a text to the document; which texts are positions only the meter knows.
    if (isTaken || name !== 'cursor') assert.equal(isTaken, isSaid, address.slice(0, 80))
  }
  return taken
}

test('what the document says of a parameter is what the API takes', async (context) => {
  const client = await Client.of(richRig(context), context)
  for (const [path, operation] of client.operations) {
    if (isStream(operation)) continue
    for (const parameter of operation.parameters) {
      const taken = await takenOf(client, path, operation, parameter)
      assert.deepEqual(taken, new Set([true, false]), `${path} ${parameter.name}`)
    }
  }
})

test('the messages of the streams are as the document says', async (context) => {
  const rig = richRig(context)
  const client = await Client.of(rig, context)
  const fits = (name: string, data: string) =>
    assert.equal(client.faultsOf(client.document.components.schemas[name]!, JSON.parse(data)), '', name)
  const live = await Follower.on(`${client.origin}/v1/live`, context)
  fits('LiveSnapshot', (await live.next()).data)
  rig.open('1767225600:dora')
  rig.commit()
  fits('LiveChange', (await live.next()).data)

  const events = await Follower.on(`${client.origin}/v1/events`, context)
  const none = { realm: '', username: '', device: '', allocation: '', lifetimeSeconds: null, counters: null }
  for (const tell of rig.watchers)
    tell([{ at: new Date(rig.now).toISOString(), server: 'turn1', event: 'new', ...none }], 0)
  fits('TailEvent', (await events.next()).data)
})
