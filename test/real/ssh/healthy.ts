/** Set-ups in which a login is quick, each with something that could be taken for a cause: nothing may be found. */
import { join } from 'node:path'
import { find, until } from '../harness.ts'
import { slowAgent } from './between.ts'
import { PASSWORD } from './files.ts'
import { ADDRESSES, HOST, type Lab } from './lab.ts'
import { clientNames, pam } from './plants.ts'

export interface Healthy {
  readonly name: string
  readonly plant?: (lab: Lab) => unknown
  /** Where `fettle ssh check` is sent, and its options; the host by its name, if left out. */
  readonly words?: readonly string[]
  readonly password?: string
}

const sshd = (settings: string) => (lab: Lab) => lab.sshd(settings)
const config = (settings: string) => (lab: Lab) => lab.sshConfig(settings)

/** A connection that others may use, as somebody has it who is logged in already. */
async function master(lab: Lab): Promise<void> {
  lab.sshConfig('Host *\n    ControlPath /run/shared-%C\n    ControlMaster auto')
  lab.client.start([find('ssh'), '-N', HOST])
  const isThere = () => lab.client.run([find('ssh'), '-O', 'check', HOST])
  await until('a connection that is shared', async () => (await isThere()).status === 0)
}

/** In the place of sshd: a server of somebody else. */
async function dropbear(lab: Lab): Promise<void> {
  const { server, client } = lab
  lab.stopSshd()
  const key = join(server.folder, 'dropbear.key')
  const made = await server.run(['dropbearkey', '-t', 'ed25519', '-f', key])
  const shown = made.output.split('\n').find((line) => line.startsWith('ssh-ed25519 ')) ?? ''
  client.write(join(client.home('root'), '.ssh/known_hosts'), `* ${shown}\n`)
  await until('dropbear', async () => {
    const running = server.start([find('dropbear'), '-F', '-E', '-r', key])
    await until('its first line', () => running.output.includes('Not backgrounding'))
    return (await lab.login()).status === 0
  })
}

const manyHosts = (count: number) => (lab: Lab) => {
  const path = join(lab.client.home('root'), '.ssh/known_hosts')
  const [, type, key] = lab.client.read(path).split(' ')
  const lines = Array.from({ length: count }, (_, i) => `host${i}.lab.test ${type} ${key}\n`)
  lab.client.write(path, `${lines.join('')}${lab.client.read(path)}`)
}

export const healthy: readonly Healthy[] = [
  { name: 'by name' },
  { name: 'by its IPv4 address', words: [ADDRESSES.server] },
  { name: 'by its IPv6 address', words: [ADDRESSES.server6] },
  { name: 'as somebody else', words: [`root@${HOST}`] },
  { name: 'by a URL', words: [`ssh://ops@${HOST}:22`] },
  { name: 'GSSAPI, and a DNS that answers', plant: sshd('GSSAPIAuthentication yes') },
  { name: 'pam_systemd without a bus', plant: ({ server }) => server.write('/run/systemd/seats/seat0', '') },
  { name: 'UseDNS, and a name for the client', plant: sshd('UseDNS yes') },
  {
    name: 'UseDNS, and no name for the client',
    plant: (lab) => {
      lab.rules(...clientNames.map((name) => ({ name, answer: 'nxdomain' }) as const))
      return lab.sshd('UseDNS yes')
    },
  },
  {
    name: 'no UseDNS, and nobody who answers for the address of the client',
    plant: (lab) => lab.rules(...clientNames.map((name) => ({ name, answer: 'drop' }) as const)),
  },
  {
    name: 'an sftp server within sshd',
    plant: (lab) => {
      lab.server.replace('/etc/ssh/sshd_config', '/usr/lib/openssh/sftp-server', 'internal-sftp')
      return lab.sshd()
    },
  },
  { name: 'a connection that is shared', plant: master },
  { name: 'another port', plant: sshd('Port 2222'), words: [HOST, '-p', '2222'] },
  {
    name: 'a name and a port that only the settings know',
    plant: (lab) => {
      lab.sshConfig(`Host web\n    Hostname ${HOST}\n    Port 2222`)
      return lab.sshd('Port 2222')
    },
    words: ['web'],
  },
  {
    name: 'a jump host, which is the server itself',
    plant: config(`Host behind\n    Hostname ${ADDRESSES.server}\n    ProxyJump ${HOST}`),
    words: ['behind'],
  },
  {
    name: 'a long message of the day',
    plant: ({ server }) => server.write('/etc/motd', 'Welcome to a server with much to tell.\n'.repeat(3000)),
  },
  {
    name: 'a banner',
    plant: (lab) => {
      lab.server.write('/etc/issue.net', 'For our own people only.\n')
      return lab.sshd('Banner /etc/issue.net')
    },
  },
  { name: 'a Dropbear', plant: dropbear },
  {
    name: 'a second resolver that is dead',
    plant: ({ client }) =>
      client.write('/etc/resolv.conf', `nameserver ${ADDRESSES.resolver}\nnameserver ${ADDRESSES.deadResolver}\n`),
  },
  {
    name: 'a second address at which nobody is',
    plant: (lab) => {
      lab.record('AAAA', HOST)
      lab.record('A', HOST, ADDRESSES.server, ADDRESSES.dead)
    },
  },
  { name: 'an agent', plant: (lab) => slowAgent(lab, 'list', 0) },
  { name: 'VerifyHostKeyDNS, and no key in the DNS', plant: config('Host *\n    VerifyHostKeyDNS yes') },
  {
    name: 'windows that are forwarded',
    plant: (lab) => {
      lab.sshConfig('Host *\n    ForwardX11 yes')
      lab.env.DISPLAY = ':7'
    },
  },
  { name: 'no PAM', plant: sshd('UsePAM no') },
  {
    name: 'a shell that says much',
    plant: ({ server }) => server.write(join(server.home('ops'), '.bashrc'), 'seq 1 5000\nseq 1 5000 >&2\n'),
  },
  { name: 'compression', plant: config('Host *\n    Compression yes') },
  { name: 'many known hosts', plant: manyHosts(5000) },
  {
    name: 'a slow end of the session, which only the server waits for',
    plant: (lab) => pam(lab, 'session', 'close_session'),
  },
  { name: 'a slow check of passwords, beside a key', plant: (lab) => pam(lab, 'auth', 'auth') },
  { name: 'a password', plant: config('Host *\n    PubkeyAuthentication no'), password: PASSWORD },
]
