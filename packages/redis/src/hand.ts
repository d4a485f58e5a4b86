/** The only place where a live Redis is changed. */
import { Unseen } from '@fettle/check'
import type { Hand, Item, Plan } from '@fettle/check/change'
import type { Judgement } from '@fettle/report'
import type { lookThrough } from './check.ts'
import type { Connection } from './connection.ts'
import { CHANGEABLE, faultOf } from './core/change/changeable.ts'
import { identityOf, isWishing, planOf, SLOWLOG, type Wishes } from './core/change/plan.ts'
import { judge } from './core/judge/judge.ts'
import { refusedIn } from './core/judge/unseen.ts'
import { readClients } from './core/read/clients.ts'
import { type Answer, plainReply, Refusal } from './core/read/resp.ts'
import { type Settings, settingsOf } from './core/read/settings.ts'
import { entriesOf, entryText } from './core/read/slowlog.ts'
import type { Door } from './door.ts'

export interface HandOptions {
  readonly wishes: Wishes
  readonly persist: boolean
  look(): ReturnType<typeof lookThrough>
}

/** More than any slow log holds. */
const ENTRIES_MAX = 100_000

export class RedisHand implements Hand {
  readonly #name: string
  readonly #connection: Connection
  readonly #options: HandOptions

  private constructor(name: string, connection: Connection, options: HandOptions) {
    this.#name = name
    this.#connection = connection
    this.#options = options
  }

  static async open(door: Door, options: HandOptions): Promise<RedisHand> {
    const connection = await door.enter()
    await connection.ask(['CLIENT', 'SETNAME', door.clientName(false)])
    return new RedisHand(door.name, connection, options)
  }

  async plan(): Promise<Plan> {
    const { wishes } = this.#options
    const earlier = await this.#ask(['CLIENT', 'LIST'])
    const facts = await this.#options.look()
    const { settings, refused } = await this.#settings()
    const [self, entries] = [await this.#ask(['CLIENT', 'ID']), await this.#ask(['SLOWLOG', 'LEN'])]
    const { items, findings, problems } = planOf(wishes, {
      facts,
      settings,
      refused,
      earlier: typeof earlier === 'string' ? readClients(earlier) : [],
      self: typeof self === 'number' ? self : -1,
      slowEntries: typeof entries === 'number' ? entries : 0,
    })
    if (problems.length > 0) throw new Unseen(`${this.#name}: ${problems.join('; ')}`)
    const isSetting = items.some(({ what }) => isSettingName(what))
    return {
      items,
      findings,
      unseen: refusedIn(facts.live),
      cannot: isSetting && refused !== null ? this.#cannot(refused) : this.#cannotPersist(facts.infos.at(-1)),
      before: isWishing(wishes) ? null : judge(facts),
    }
  }

  async read({ what }: Item): Promise<string | null> {
    if (isSettingName(what)) {
      const answer = this.#understood(await this.#ask(['CONFIG', 'GET', what]))
      return Array.isArray(answer) && typeof answer[1] === 'string' ? answer[1] : null
    }
    if (what === SLOWLOG) {
      const answer = this.#understood(await this.#ask(['SLOWLOG', 'GET', String(ENTRIES_MAX)]))
      return entriesOf(plainReply(answer)).map(entryText).join('\n')
    }
    const list = this.#understood(await this.#ask(['CLIENT', 'LIST']))
    const client = readClients(String(list)).find(({ id }) => `client ${id}` === what)
    return client === undefined ? null : identityOf(client)
  }

  async make({ what, was }: Item, value: string | null): Promise<string | null> {
    const command = commandFor(what, was, value)
    if (typeof command === 'string') return command
    const answer = await this.#ask(command)
    if (answer instanceof Refusal) return answer.text
    return answer === 0 ? 'it is gone' : null
  }

  async persist(): Promise<string | null> {
    const answer = await this.#ask(['CONFIG', 'REWRITE'])
    return answer instanceof Refusal ? answer.text : null
  }

  async look(): Promise<Judgement> {
    return judge(await this.#options.look())
  }

  close(): void {
    this.#connection.close()
  }

  async #settings(): Promise<{ readonly settings: Settings; readonly refused: string | null }> {
    const answers = await this.#connection.askAll(CHANGEABLE.map((name) => ['CONFIG', 'GET', name]))
    const refusal = answers.find((one) => one instanceof Refusal)
    if (refusal !== undefined) return { settings: new Map(), refused: refusal.text }
    const words = answers.flatMap((one) => (Array.isArray(one) ? one.map(String) : []))
    if (words.length === 0) return { settings: new Map(), refused: 'it tells none of them' }
    return { settings: settingsOf(words), refused: await this.#whyNoSet() }
  }

  /** No server has such a setting: one that would let us change others says so, and changes nothing. */
  async #whyNoSet(): Promise<string | null> {
    const answer = await this.#ask(['CONFIG', 'SET', 'fettle-none', '0'])
    return answer instanceof Refusal && !/^ERR (?:Unknown option|Unsupported CONFIG)/i.test(answer.text)
      ? answer.text
      : null
  }

  #cannot(refused: string): string {
    return (
      `${this.#name}: does not permit CONFIG (${refused}); what is shown goes into its redis.conf, ` +
      'or to where its provider has such settings'
    )
  }

  #cannotPersist(info: { readonly fields: ReadonlyMap<string, string> } | undefined): string | null {
    if (!this.#options.persist || info?.fields.get('config_file') !== '') return null
    return `${this.#name}: --persist: it was started without a redis.conf, so there is none to write to`
  }

  #ask(words: readonly string[]): Promise<Answer> {
    return this.#connection.ask(words)
  }

  #understood(answer: Answer): Answer {
    if (answer instanceof Refusal) throw new Unseen(`${this.#name}: ${answer.text}`)
    return answer
  }
}

const isSettingName = (what: string) => CHANGEABLE.includes(what)

/** In words why there is none: a journal is a file, and may say anything. */
function commandFor(what: string, was: string | null, value: string | null): readonly string[] | string {
  if (isSettingName(what) && value !== null) return ['CONFIG', 'SET', what, value]
  if (what === SLOWLOG && value === null) return ['SLOWLOG', 'RESET']
  const [, id, address] = /^id=(\d+) addr=(\S+) /.exec(was ?? '') ?? []
  if (id !== undefined && value === null) return ['CLIENT', 'KILL', 'ID', id, 'ADDR', address!]
  return faultOf(what, value ?? '') ?? `${what} cannot be set back`
}
