/** A real MariaDB in a folder of its own, which may be killed and started again. */
import { mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { exitOf, find, type Ground, type Running, until } from './harness.ts'

const PORT = 3306
/** Only this user of the database's reaches it, by its own password. */
const PASSWORD = 'p@ss:w/rd?'

export class MariaDb {
  readonly host: string
  readonly port = PORT
  readonly password = PASSWORD
  readonly #ground: Ground
  readonly #data: string
  #running: Running | undefined
  readonly #settings: readonly string[]

  private constructor(ground: Ground, settings: readonly string[]) {
    this.#ground = ground
    this.host = ground.address(9)
    this.#data = join(ground.folder, 'mariadb')
    this.#settings = settings
  }

  /** Makes the data and starts it, with a database `billing` and a user `fettle` who may read and write its tables. */
  static async start(ground: Ground, ...settings: string[]): Promise<MariaDb> {
    const database = new MariaDb(ground, settings)
    mkdirSync(database.#data)
    const install = ground.start(find('mariadb-install-db'), [
      '--no-defaults',
      `--datadir=${database.#data}`,
      database.#temporary,
      // It refuses to run as root, unless told so.
      `--user=${userInfo().username}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ])
    if ((await exitOf(install, 60)) !== 0) throw new Error(`mariadb-install-db: ${install.output}`)
    await database.again()
    await database.sql(
      'CREATE DATABASE billing CHARACTER SET utf8mb4',
      `CREATE USER fettle IDENTIFIED BY '${PASSWORD}'`,
      'GRANT SELECT, INSERT, UPDATE ON billing.* TO fettle',
    )
    return database
  }

  get running(): Running {
    return this.#running!
  }

  /** What `--sink` takes; from the environment, for it holds the password. */
  get url(): string {
    return `mysql://fettle:${encodeURIComponent(PASSWORD)}@${this.host}:${PORT}/billing`
  }

  /** Starts it again on the same data; what was committed before it was killed is recovered. */
  async again(): Promise<void> {
    const running = this.#ground.start(find('mariadbd'), [
      '--no-defaults',
      `--datadir=${this.#data}`,
      this.#temporary,
      `--user=${userInfo().username}`,
      `--bind-address=${this.host}`,
      `--port=${PORT}`,
      `--socket=${this.socket}`,
      `--pid-file=${join(this.#data, 'pid')}`,
      '--innodb-buffer-pool-size=16M',
      '--innodb-log-file-size=16M',
      '--skip-name-resolve',
      ...this.#settings,
    ])
    this.#running = running
    await until(
      'MariaDB listening',
      () => {
        if (running.status !== undefined) throw new Error(`mariadbd ended with ${running.status}: ${running.output}`)
        return running.output.includes('ready for connections')
      },
      60,
    )
  }

  /** A server that starts removes the temporary tables of every other server in its folder: this one has its own. */
  get #temporary(): string {
    return `--tmpdir=${this.#ground.folder}`
  }

  get socket(): string {
    return join(this.#data, 'socket')
  }

  async kill(): Promise<void> {
    this.running.kill('SIGKILL')
    await this.running.ended
  }

  /** Rows that the statements give, as the database's own root, by its own client; a tab between the columns. */
  async sql(...statements: readonly string[]): Promise<string[]> {
    const words = ['--no-defaults', `--socket=${this.socket}`, '--user=root', '--batch', '--skip-column-names']
    const client = this.#ground.start(find('mariadb'), [...words, '-e', statements.join(';')])
    const status = await exitOf(client)
    if (status !== 0) throw new Error(`mariadb ended with ${status}: ${client.output}`)
    return client.output.split('\n').filter((line) => line !== '')
  }
}
