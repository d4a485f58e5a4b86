/** What is tried next, and what is made of it: recorded logins stand for those that ssh would make. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '@fettle/report'
import { failureOf, judgeLogins } from '../src/core/client/judge.ts'
import { readSettings } from '../src/core/client/settings.ts'
import { faultsOf } from '../src/core/client/target.ts'
import { COMMAND, NO_PROXY, SFTP } from '../src/core/client/variants.ts'
import { wordsFor } from '../src/core/client/words.ts'
import { lookAt, QUICK, recorded, type World } from './world.ts'

/** No two logins are alike. */
const WOBBLE = [1, 1.01, 0.995, 1.004, 0.99, 1.002]
const wobble = (name: string, round: number) => recorded(name, WOBBLE[round - 1])

/** Each login waits as in this recording, but for these ways to log in. */
const waiting = (name: string, ...quick: readonly string[]): World['login'] => {
  return (variant, round) => wobble(quick.includes(variant.name) ? QUICK : name, round)
}

const work = (world: World): Finding[] =>
  judgeLogins(lookAt(world).facts).findings.filter(({ severity }) => severity !== 'note')

function only(world: World): Finding {
  const [one, ...more] = work(world)
  assert.ok(one, 'nothing was found')
  assert.deepEqual(more, [])
  return one
}

test('[S15] a quick server: commands and shells, in rounds, and nothing else is tried', () => {
  const world: World = { login: waiting(QUICK) }
  const { tried, looks, facts } = lookAt(world)
  assert.deepEqual(tried, ['command', 'shell', 'command', 'shell', 'command', 'shell'])
  assert.deepEqual(
    looks.filter(({ kind }) => kind !== 'login').map(({ kind }) => kind),
    ['settings'],
  )
  assert.deepEqual(work(world), [])
  const [login] = judgeLogins(facts).measures
  assert.ok(login!.quantity.low! < login!.quantity.value && login!.quantity.value < login!.quantity.high!)
  assert.equal(failureOf(facts), null)
})

test('[S15, S16] the query for AAAA is proven by -4, by the address and by a resolver that is asked by itself', () => {
  const login: World['login'] = (variant, round) =>
    wobble(['ipv4', 'by-address'].includes(variant.name) ? QUICK : 'aaaa-dropped', round)
  const one = only({ login, answer: ({ type }) => (type === 'AAAA' ? null : 0.002) })
  assert.deepEqual([one.code, one.confidence], ['ssh.lookup', 'measured'])
  assert.match(one.cause!, /IPv6 addresses \(AAAA\)/)
  assert.match(one.cause!, /With -4 the login takes .* instead of 15\.\d s \(2 pairs of logins\)/)
  assert.match(one.cause!, /Resolver 192\.0\.2\.53 does not answer the query for AAAA of srv\.test/)
  assert.doesNotMatch(one.cause!, /query for A of/)
  const { value, low, high } = one.quantities.wait!
  assert.ok(Math.abs(value - 15.01) < 0.2 && low! < value && value < high!, JSON.stringify(one.quantities))
  assert.deepEqual(
    one.remedy.filter((line) => line.startsWith('to tell: ssh')),
    [],
    'what was tried need not be tried by hand',
  )
})

test('[S16] resolvers that answer at once are told too, and prove nothing', () => {
  const one = only({ login: waiting('aaaa-dropped'), answer: () => 0.003 })
  assert.equal(one.confidence, 'likely')
  assert.match(one.cause!, /answers us within 3 ms: it is another source of \/etc\/nsswitch\.conf \(hosts: files dns\)/)
  assert.match(one.cause!, /With -4 it waits as long/)
})

test('[S15] one pair of logins says nothing of what is gone', () => {
  const { facts } = lookAt({ login: waiting('proxy-command', 'no-proxy') }, 1)
  const [one] = judgeLogins(facts).findings
  assert.equal(one!.confidence, 'possible')
  assert.match(one!.cause!, /Whether it waits without the proxy, 1 pair of logins do not tell/)
})

test('[S16] the proxy is proven by the straight way, and the line that names it is told without what it says', () => {
  const files = { '/etc/ssh/ssh_config': 'Host *\n  ProxyCommand hop --token secret %h\n' }
  const login: World['login'] = (variant, round) => {
    const text = wobble(variant.name === 'no-proxy' ? QUICK : 'proxy-command', round)
    return text.replace('\n', '\n   0.009 ERR debug1: Reading configuration data /etc/ssh/ssh_config\n')
  }
  const one = only({ login, files })
  assert.deepEqual([one.code, one.confidence], ['ssh.proxy', 'measured'])
  assert.deepEqual(one.evidence[0], { source: '/etc/ssh/ssh_config:2', text: 'ProxyCommand ... (not shown)' })
  assert.doesNotMatch(JSON.stringify(one), /secret/)
})

test('[S16] a banner that is late to somebody who is no ssh is the server', () => {
  const one = only({ login: waiting('banner-late'), door: () => [0.001, 3.004] })
  assert.match(one.cause!, /To us, who are no ssh, its first line came after 3 s too/)
  const other = only({ login: waiting('banner-late'), door: () => [0.001, 0.004] })
  assert.match(other.cause!, /To us its first line came within 3 ms/)
})

test('[S16] large packets are proven where the login never comes to an end, and with small ones it does', () => {
  const cut = `${recorded('big-segment-late').split('\n').slice(0, 55).join('\n')}\n  20.000 ERR fettle: stopped`
  const one = only({
    login: (variant, round) =>
      variant.name === 'small-packets' ? wobble(QUICK, round) : { text: cut, end: 'limit', status: 255 },
  })
  assert.deepEqual([one.code, one.confidence], ['ssh.kex', 'measured'])
  assert.match(one.cause!, /lost or held up on the way/)
  assert.match(one.cause!, /else it never comes to an end/)
})

test('[S15] what comes and goes is said to, and is tried more often', () => {
  const login: World['login'] = (variant, round) =>
    wobble(variant.name === 'command' && round % 3 === 0 ? 'banner-late' : QUICK, round)
  const { tried } = lookAt({ login })
  assert.equal(tried.filter((name) => name === 'command').length, 6)
  assert.match(only({ login }).cause!, /It comes and goes: 2 of 6 logins waited/)
})

test('[S15] what happened once in six logins may be chance, and is no fault', () => {
  const login: World['login'] = (variant, round) =>
    wobble(variant.name === 'command' && round === 2 ? 'banner-late' : QUICK, round)
  assert.deepEqual(work({ login }), [])
  const [one] = judgeLogins(lookAt({ login }).facts).findings
  assert.match(one!.cause!, /It comes and goes: 1 of 6 logins waited/)
})

test('[S15] a login that takes long is done twice', () => {
  const { tried } = lookAt({ login: waiting('logind-hangs') })
  assert.deepEqual(tried, ['command', 'shell', 'command'])
})

test('[S15] what only a login shell waits for is told once, and a command with its shell is told once', () => {
  const shell = recorded('ssh-rc')
    .replace(/^.*Sending command.*\n/m, '')
    .replace('exec request', 'shell request')
  const alone = only({ login: (variant, round) => (variant.name === 'shell' ? shell : wobble(QUICK, round)) })
  assert.deepEqual([alone.code, alone.says], ['ssh.shell', 'The shell takes 3.01 s to begin.'])
  const both = only({ login: (variant, round) => (variant.name === 'shell' ? shell : wobble('ssh-rc', round)) })
  assert.match(both.says, /^The command takes/)
})

test('[S16] with --trace the line that waits is named; without it nothing is run once more', () => {
  const traced = [{ file: '/home/ops/.bashrc', line: 7, seconds: 3.002, times: 1 }]
  const one = only({ login: waiting('ssh-rc', 'sftp', 'nothing'), traced })
  assert.match(one.cause!, /Run once more, line 7 of \/home\/ops\/\.bashrc took 3 s\./)
  const { looks } = lookAt({ login: waiting('ssh-rc', 'sftp', 'nothing') })
  assert.ok(!looks.some(({ kind }) => kind === 'trace'))
})

const REFUSED = '\n   0.200 ERR ops@server.test: Permission denied (publickey,password).\n'
const upTo = (name: string, line: RegExp) => {
  const text = recorded(name)
  return text.slice(0, text.search(line)) + REFUSED.slice(1)
}

test('[S17] two refusals are enough, and the wait before them is told', () => {
  const text = upTo('ptr-dropped', /^.*receive packet: type 52/m).replaceAll(' 0.200 ERR ops', '19.200 ERR ops')
  const { tried, facts } = lookAt({ login: () => ({ text, end: 'over', status: 255 }) })
  assert.deepEqual(tried, ['command', 'ipv6'])
  const codes = judgeLogins(facts).findings.map(({ code }) => code)
  assert.deepEqual(codes, ['ssh.auth-start', 'ssh.failed'])
  assert.match(failureOf(facts)!, /^nobody was logged in: ops@server\.test: Permission denied .*--password/)
})

test('[S18] a server that says nothing is told by how far one came', () => {
  const head = recorded(QUICK).split('\n').slice(0, 10).join('\n')
  const world: World = {
    login: () => ({ text: `${head}\n 30.000 ERR fettle: stopped`, end: 'limit', status: 255 }),
    door: () => [0.001, null],
  }
  const { facts } = lookAt(world)
  assert.match(failureOf(facts)!, /^nobody was logged in: nothing more came in this phase: banner/)
  assert.match(only(world).cause!, /its first line never came too/)
})

test('[S14] what makes it another thing than a login is refused, and so is what is no option', () => {
  const faults = (...options: string[]) => faultsOf({ destination: 'ops@host', options })
  assert.deepEqual(faults('-i', 'key', '-4', '-oCompression=no', '-vA'.replace('v', 'C')), [])
  for (const bad of [['-N'], ['-fN'], ['true'], ['-4', 'ls'], ['--', 'x'], ['-o'], ['-F']]) {
    assert.equal(faults(...bad).length, 1, bad.join(' '))
  }
  assert.equal(faultsOf({ destination: '-oProxyCommand=x', options: [] }).length, 1)
  assert.equal(faultsOf({ destination: 'a\u001b[2Jb', options: [] }).length, 1)
})

const words = (settings: string, options: readonly string[] = [], variant = COMMAND) =>
  wordsFor(variant, { destination: 'host', options }, readSettings(settings, 0).values, ['BatchMode=yes'])

test('[S14] each login is a new connection that does one thing, whatever the settings say', () => {
  const plain = words('hostname host\nremotecommand none\nsessiontype default', ['-i', 'key'])
  assert.deepEqual(plain.slice(-5), ['-i', 'key', '-T', 'host', 'true'])
  for (const name of ['ControlMaster=no', 'ControlPath=none', 'ClearAllForwardings=yes'])
    assert.ok(plain.includes(name))
  assert.ok(!plain.some((word) => /remotecommand|sessiontype/i.test(word)), 'not every ssh knows these')
  const odd = words('remotecommand tmux attach\nsessiontype none\nforkafterauthentication yes')
  for (const name of ['remotecommand=none', 'sessiontype=default', 'forkafterauthentication=no']) {
    assert.ok(odd.includes(name), name)
  }
  assert.deepEqual(words('', [], SFTP).slice(-4), ['-T', '-s', 'host', 'sftp'])
})

test('[S14] of a jump host only the outer ssh talks; where it is to be left out, it is', () => {
  const proxyOf = (given: readonly string[]) => given.filter((word) => word.startsWith('ProxyCommand='))
  assert.deepEqual(proxyOf(words('proxyjump none')), [])
  assert.deepEqual(proxyOf(words('proxyjump a,ops@b:2222', ['-F', "/it's 100%"])), [
    "ProxyCommand=ssh -J a -F '/it'\\''s 100%%' -o BatchMode=yes -W '[%h]:%p' ssh://ops@b:2222",
  ])
  const given = words('proxyjump a', ['-J', 'a', '-4', '-Ja'])
  assert.deepEqual(given.slice(-4), ['-4', '-T', 'host', 'true'], 'ssh refuses both together')
  assert.equal(proxyOf(words('proxyjump a', [], NO_PROXY))[0], 'ProxyCommand=none', 'ssh takes the first')
})

test('[S16] each name is asked for that ssh looks up, also where it tries several domains', () => {
  const login: World['login'] = (variant, round) =>
    wobble(variant.name === 'by-address' ? QUICK : 'aaaa-dropped', round).replace(
      /^(.*)resolve_host: lookup .*$/m,
      '$1resolve_host: lookup web1.corp.test.:22\n   0.010 ERR debug3: resolve_host: lookup web1.lab.test.:22',
    )
  const { looks } = lookAt({ login })
  const names = looks.flatMap((look) => (look.kind === 'names' ? look.queries.map(({ name }) => name) : []))
  assert.deepEqual(Array.from(new Set(names)), ['web1.corp.test', 'web1.lab.test'])
})

test('[S14] a command of the client is not run, and that is said', () => {
  const settings = 'hostname server.test\npermitlocalcommand yes\nlocalcommand sleep 2\n'
  const { findings } = judgeLogins(lookAt({ settings, login: waiting(QUICK) }).facts)
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['ssh.local-command'],
  )
  assert.doesNotMatch(JSON.stringify(findings), /sleep/)
})

test('[S15] the proxy is not to blame where the straight way waits as long, for the server itself', () => {
  const login: World['login'] = (variant, round) =>
    wobble(variant.name === 'no-proxy' ? 'banner-late' : 'proxy-command', round)
  const one = only({ login })
  assert.equal(one.confidence, 'possible')
  assert.match(one.cause!, /Without the proxy it waits as long/)
})

test('[S16] a resolver that is not asked, since the first one answers, proves nothing', () => {
  const resolvers = { servers: ['192.0.2.53', '192.0.2.54'], search: [], sources: ['files', 'dns'] }
  const answer = ({ resolver }: { readonly resolver: string }) => (resolver === '192.0.2.54' ? null : 0.002)
  const one = only({ resolvers, answer, login: waiting('aaaa-dropped') })
  assert.equal(one.confidence, 'likely')
})

test('[S16] a login that hangs elsewhere says nothing of a wait before', () => {
  const cut = `${recorded('aaaa-dropped').split('\n').slice(0, 60).join('\n')}\n  99.000 ERR fettle: stopped`
  const login: World['login'] = (variant, round) =>
    variant.name === 'ipv4' ? wobble('aaaa-dropped', round) : { text: cut, end: 'limit', status: 255 }
  const lookup = work({ login, answer: () => 0.002 }).find(({ code }) => code === 'ssh.lookup')
  assert.doesNotMatch(lookup!.cause!, /never comes to an end/)
  assert.notEqual(lookup!.confidence, 'measured')
})

test('[S15] a way to log in that ssh refuses is tried once, and said', () => {
  const { facts } = lookAt({ login: waiting('proxy-command'), refused: ['no-proxy'] })
  const { unseen } = judgeLogins(facts)
  assert.ok(unseen.some(({ what }) => what.includes('without the proxy')))
})

test('[S18] what is told of files before the server speaks is believed, and nothing after that', () => {
  const login: World['login'] = (variant, round) => {
    const text = wobble(variant.name === 'no-proxy' ? QUICK : 'proxy-command', round)
    return text.replace(
      /^(.*Remote protocol version.*)$/m,
      '$1\n   3.100 ERR debug1: Reading configuration data /dev/stdin',
    )
  }
  const paths = lookAt({ login }).looks.flatMap((look) => (look.kind === 'files' ? look.paths : []))
  assert.ok(!paths.includes('/dev/stdin'))
})

test('[S14] options may stand together, and their values too', () => {
  assert.deepEqual(words('proxyjump a', ['-4J', 'a', '-CF/x']).slice(-7), [
    '-4',
    '-C',
    '-F',
    '/x',
    '-T',
    'host',
    'true',
  ])
})
