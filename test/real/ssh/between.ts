/** What stands between the machines of a lab, or in the place of one of their programs, and is slow. */
import { once } from 'node:events'
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { find, until } from '../harness.ts'
import { ADDRESSES, type Lab, listening } from './lab.ts'
import type { Machine } from './machine.ts'

/** From now on packets between both machines take so long, and big ones get lost without a word. */
export async function way(lab: Lab, { delayMs = 0, bytesMax = 65_535 }): Promise<void> {
  const { client, server } = lab
  // These are the outer packets, which have to hold the whole inner ones.
  const outer = { client: '10.88.0.1', server: '10.88.0.2' }
  await Promise.all([
    sh(client, 'ip link set dev lan mtu 9000', `ip addr add ${outer.client}/24 dev lan`),
    sh(server, 'ip link set dev lan mtu 9000', `ip addr add ${outer.server}/24 dev lan`),
  ])
  const ports = ['7001', '7002', `${outer.client}:7000`, `${outer.server}:7000`]
  const program = join(import.meta.dirname, 'path.ts')
  const relay = server.startBeside([process.execPath, program, outer.server, ...ports, `${delayMs}`, `${bytesMax}`])
  await listening('the way between', relay, 'listening')
  const tunnel = async (machine: Machine, own: string, port: number, [from, to]: string[], [from6, to6]: string[]) => {
    const socket = `UDP4-DATAGRAM:${outer.server}:${port},bind=${own}:7000`
    machine.start([find('socat'), 'TUN,tun-name=way,iff-up,iff-no-pi', socket])
    await until('a tunnel', async () => (await machine.run(['ip', 'link', 'show', 'way'])).status === 0)
    await sh(machine, `ip route add ${to}/32 dev way src ${from}`, `ip route add ${to6}/128 dev way src ${from6}`)
  }
  const [near, far] = [ADDRESSES.client, ADDRESSES.server]
  const [near6, far6] = [ADDRESSES.client6, ADDRESSES.server6]
  await Promise.all([
    tunnel(client, outer.client, 7001, [near, far], [near6, far6]),
    tunnel(server, outer.server, 7002, [far, near], [far6, near6]),
  ])
}

/** Lines of a shell that must not fail. */
export async function sh(machine: Machine, ...lines: readonly string[]): Promise<void> {
  const { status, complaints } = await machine.run(['/bin/sh', '-ec', lines.join('\n')])
  if (status !== 0) throw new Error(`${lines.join('; ')}: ${complaints}`)
}

/** In the place of sshd: a listener that starts one for each connection, and lets it wait. */
export async function lateSshd(lab: Lab, seconds: number): Promise<void> {
  lab.stopSshd()
  const program = join(lab.server.folder, 'late-sshd')
  lab.server.script(program, `sleep ${seconds}`, `exec ${find('sshd')} -i`)
  await accepting(lab, `EXEC:${program}`)
}

/** A listener at the server's port 22. */
export async function accepting(lab: Lab, to: string): Promise<void> {
  const words = [find('socat'), '-d', '-d', 'TCP6-LISTEN:22,ipv6only=0,reuseaddr,fork', to]
  await until('port 22', async () => {
    const listener = lab.server.start(words)
    await until('a listener', () => listener.output.includes('listening on') || listener.status !== undefined)
    return listener.status === undefined
  })
}

/** A socket of the file system, with a server of the test behind it, open to every user. */
export async function listenAt(lab: Lab, path: string, take: (socket: Socket) => void): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  rmSync(path, { force: true })
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    take(socket)
  })
  server.listen(path)
  await once(server, 'listening')
  chmodSync(path, 0o777)
  lab.whenOver(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
}

/** What an agent is asked (RFC draft-miller-ssh-agent, section 5.1). */
const AGENT = { list: 11, sign: 13 } as const
/** In front of each request. */
const LENGTH_BYTES = 4

/** A real agent with the client's key, behind a socket that is late with requests of one kind. */
export async function slowAgent(lab: Lab, kind: keyof typeof AGENT, seconds: number): Promise<void> {
  const { client, env } = lab
  const [real, late] = ['agent', 'late-agent'].map((name) => join(client.folder, name)) as [string, string]
  client.start([find('ssh-agent'), '-D', '-a', real])
  const key = join(client.home('root'), '.ssh/id_ed25519')
  const add = () => client.run([find('ssh-add'), '-q', key], { env: { SSH_AUTH_SOCK: real } })
  await until('an agent with a key', async () => (await add()).status === 0)
  await listenAt(lab, late, (socket) => {
    const agent = connect(real).on('error', () => socket.destroy())
    agent.pipe(socket)
    socket.on('close', () => agent.destroy())
    const pass = async (request: Buffer) => {
      if (request[LENGTH_BYTES] === AGENT[kind]) await wait(seconds * 1000)
      if (!agent.destroyed) agent.write(request)
    }
    let read = Buffer.alloc(0)
    let passed = Promise.resolve()
    socket.on('data', (bytes) => {
      read = Buffer.concat([read, bytes])
      while (read.length >= LENGTH_BYTES && read.length >= LENGTH_BYTES + read.readUInt32BE(0)) {
        const request = read.subarray(0, LENGTH_BYTES + read.readUInt32BE(0))
        read = read.subarray(request.length)
        passed = passed.then(() => pass(request))
      }
    })
  })
  env.SSH_AUTH_SOCK = late
}

/**
 * A system bus on which systemd-logind is started when it is needed, and never comes to be there. The bus says so after
 * 25 s, as long as nobody sets it otherwise; with a longer limit it is as if logind were there and did not answer: then
 * pam_systemd itself gives up (after 2 minutes since systemd 246, LOGIN_SLOW_BUS_CALL_TIMEOUT_USEC).
 */
export async function busWithoutLogind(lab: Lab, limitSeconds = 25): Promise<void> {
  const { server } = lab
  const folder = join(server.folder, 'dbus')
  server.write(join(folder, 'org.freedesktop.login1.service'), LOGIND_SERVICE)
  server.write(join(folder, 'bus.conf'), busConfig(folder, limitSeconds))
  server.write('/run/systemd/seats/seat0', '')
  server.write('/run/dbus/about', '')
  const bus = server.start([
    find('dbus-daemon'),
    `--config-file=${join(folder, 'bus.conf')}`,
    '--nofork',
    '--print-address',
  ])
  await listening('a system bus', bus, 'unix:path=')
}

const LOGIND_SERVICE = `[D-BUS Service]
Name=org.freedesktop.login1
Exec=/bin/sleep infinity
`

const busConfig = (folder: string, limitSeconds: number) => `<busconfig>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <servicedir>${folder}</servicedir>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
  <limit name="service_start_timeout">${limitSeconds * 1000}</limit>
</busconfig>
`

/** A system bus that takes connections and says nothing. */
export async function silentBus(lab: Lab): Promise<void> {
  lab.server.write('/run/systemd/seats/seat0', '')
  await listenAt(lab, lab.server.outside('/run/dbus/system_bus_socket'), () => {})
}
