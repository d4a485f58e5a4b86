/** Waits on the way to the server, and of the client itself. */
import type { PhaseKind } from './phase.ts'
import { type Cause, CLIENT_CONFIG, dnsText, long, UNDO_CLIENT, type Wait } from './wait.ts'

function lookup(wait: Wait): Cause {
  const dns = dnsText(wait)
  return {
    code: 'ssh.lookup',
    says: `The client waits${long(wait)} for the address of the server.`,
    cause:
      dns === undefined
        ? 'The name is looked up there. Which query it waits for, the log does not tell.'
        : `${dns} Some query stays unanswered, often the one for IPv6 (AAAA); which, the log does not tell.`,
    confidence: dns === undefined ? 'possible' : 'likely',
    remedy: [
      'to tell: ssh -4 HOST asks for no AAAA; is that fast, it is the AAAA query; ssh ADDRESS asks for nothing',
      'on the client, /etc/resolv.conf: name a resolver that answers; dig AAAA HOST @RESOLVER tries one',
      `${CLIENT_CONFIG}: "AddressFamily inet" for this host: then AAAA is not asked for`,
    ],
    undo: UNDO_CLIENT,
  }
}

/** The first packet is sent again after 1, 3 and 7 s (RFC 6298, with Linux' first second). */
const RESENT = [1, 3, 7, 15, 31]
const RESENT_SAYS = 'It is as long as the client waits before it sends its first packet again: that was lost. '

function address(wait: Wait): Cause {
  const { phase, login, seconds } = wait
  const isDead = login.failedAddresses.has(phase.subject)
  const isResent = seconds !== null && RESENT.some((one) => Math.abs(seconds - one) < 0.1)
  return {
    code: 'ssh.address',
    says: isDead
      ? `The client waits${long(wait)} for ${phase.subject} in vain.`
      : `The client waits${long(wait)} for a connection to ${phase.subject}.`,
    cause: isDead
      ? 'Nobody answers at this address, and only then the client goes on: it is dead, or a firewall drops ' +
        'packets to it.'
      : `${isResent ? RESENT_SAYS : ''}The address is dead, a firewall drops packets to it, or the server ` +
        'is too busy to accept.',
    confidence: isDead ? 'measured' : 'possible',
    remedy: [
      `to tell: nc -vz -w 5 ${phase.subject} PORT; ssh -4 HOST and ssh -6 HOST take one kind of address each`,
      'in the DNS of the server: take out the address that nobody answers at (AAAA for IPv6)',
      `${CLIENT_CONFIG}: "AddressFamily inet" leaves IPv6 out, "ConnectTimeout 2" goes on sooner`,
    ],
    undo: UNDO_CLIENT,
  }
}

function proxy(wait: Wait): Cause {
  return {
    code: 'ssh.proxy',
    says: `The client waits${long(wait)} for the proxy command, and the server behind it.`,
    cause: 'The log cannot tell the one from the other: nothing is told until the first line of the server comes.',
    confidence: 'possible',
    line: wait.login.proxyLine,
    remedy: [
      'to tell: ssh -o ProxyCommand=none -o ProxyJump=none HOST, if the server can be reached without it',
      'to tell: run the proxy command by itself, and see when SSH-2.0-... comes',
      'on the client: ssh -G HOST | grep -i proxy names the command; it stands in ~/.ssh/config or ' +
        '/etc/ssh/ssh_config',
    ],
  }
}

function banner(wait: Wait): Cause {
  const dns = dnsText(wait)
  return {
    code: 'ssh.banner',
    says: `The server takes${long(wait)} to say its first line.`,
    cause:
      `${dns === undefined ? '' : `${dns} `}It is connected, but sshd is not there yet: an overloaded ` +
      `server, too many logins at once (MaxStartups), too little randomness after boot, a TCP wrapper that ` +
      `looks names up, or a proxy in front. Which, the log does not tell.`,
    confidence: 'possible',
    remedy: [
      'to tell: nc HOST PORT shows when SSH-2.0-... comes, without any ssh; on the server: nc localhost PORT',
      'on the server: uptime; journalctl -u ssh | grep -i MaxStartups; grep -r sshd /etc/hosts.allow /etc/hosts.deny',
      'on the server, /etc/ssh/sshd_config: MaxStartups, if logins were dropped; /etc/hosts.allow: ' +
        'addresses, no names',
    ],
    undo: 'on the server: put the changed line back as it was, and reload sshd',
  }
}

function kex(wait: Wait): Cause {
  const to = wait.phase.longest?.to.text ?? ''
  const isOwn = to.startsWith('send packet')
  return {
    code: 'ssh.kex',
    says: `The key exchange takes${long(wait)}.`,
    cause: isOwn
      ? 'The client itself computes there: a slow machine, or a busy one.'
      : 'These are the first big packets. Where they get lost and small ones do not, the MTU on the way is ' +
        'smaller than both ends think; or the server computes slowly. In which direction, the log does not tell.',
    confidence: 'possible',
    remedy: [
      'to tell: ping -M do -s 1452 HOST, then -s 1372: does only the small one pass, it is the MTU',
      'to tell: ssh -o KexAlgorithms=curve25519-sha256 HOST has smaller packets and little to compute',
      'on the router or VPN between: clamp the MSS to the path MTU; or, to try it, on the client: ip link ' +
        'set dev DEV mtu 1400',
    ],
    undo: 'on the client: ip link set dev DEV mtu 1500 (what it was)',
  }
}

function hostkey(wait: Wait): Cause {
  const dns = dnsText(wait)
  const isDns = wait.login.dnsHostKeyLine !== null
  return {
    code: isDns ? 'ssh.hostkey-dns' : 'ssh.hostkey',
    says: `The client takes${long(wait)} to check the key of the server.`,
    cause: isDns
      ? `The client looks the key up in the DNS (VerifyHostKeyDNS).${dns === undefined ? '' : ` ${dns}`}`
      : 'A person is asked whether to trust it, or known_hosts lies on a slow disk, or a KnownHostsCommand ' +
        'runs. Which, the log does not tell.',
    confidence: isDns ? 'likely' : 'possible',
    line: wait.login.dnsHostKeyLine,
    remedy: isDns
      ? ['to tell: ssh -o VerifyHostKeyDNS=no HOST', `${CLIENT_CONFIG}: "VerifyHostKeyDNS no"`]
      : [
          'to tell: ssh -o BatchMode=yes HOST asks nobody',
          'on the client: ssh -G HOST | grep -i knownhosts names the files, and a KnownHostsCommand if there is one',
        ],
    ...(isDns ? { undo: UNDO_CLIENT } : {}),
  }
}

function gssapi(wait: Wait): Cause {
  const dns = dnsText(wait)
  return {
    code: 'ssh.gssapi',
    says: `The client tries GSSAPI (Kerberos) for${long(wait)}, ${wait.phase.subject}.`,
    cause:
      `${dns === undefined ? '' : `${dns} `}The Kerberos library of the client looks the name of the ` +
      `server up, forth and back, before it says whether there is a ticket.`,
    confidence: dns === undefined ? 'possible' : 'likely',
    remedy: [
      'to tell: ssh -o GSSAPIAuthentication=no HOST',
      `${CLIENT_CONFIG}: "GSSAPIAuthentication no", if you have no Kerberos; the server's sshd_config is ` +
        `another file`,
      'on the client, /etc/krb5.conf: "rdns = false" and "dns_canonicalize_hostname = false", if you have',
    ],
    undo: UNDO_CLIENT,
  }
}

function agent(wait: Wait): Cause {
  return {
    code: 'ssh.agent',
    says: `The client takes${long(wait)} to gather its keys.`,
    cause: 'It asks the agent, or a token, which keys there are.',
    confidence: 'possible',
    remedy: [
      'to tell: ssh -o IdentityAgent=none -o PKCS11Provider=none HOST',
      'on the client: time ssh-add -l; a forwarded agent waits for the machine that it comes from',
      'on the client, ~/.ssh/config: "IdentityAgent none" for this host, with a key in a file',
    ],
    undo: UNDO_CLIENT,
  }
}

function sign(wait: Wait): Cause {
  return {
    code: 'ssh.sign',
    says: `The client takes${long(wait)} to sign with its key.`,
    cause: 'Somebody types a passphrase, touches a security key or confirms to the agent; or the agent is slow.',
    confidence: 'possible',
    remedy: [
      'to tell: ssh -o IdentityAgent=none -i KEY HOST; on the client: time ssh-add -T KEY.pub',
      'on the client, ~/.ssh/config: "IdentityAgent none" for this host, with a key in a file; or look why the agent ' +
        'is slow, such as one that is forwarded, or that asks a person',
    ],
    undo: UNDO_CLIENT,
  }
}

function client(wait: Wait): Cause {
  return {
    code: 'ssh.client',
    says: `The client is busy with itself for${long(wait)}.`,
    cause:
      'It reads its settings and keys: a home folder on a slow disk or the network, or "Match exec" in its settings.',
    confidence: 'possible',
    remedy: [
      'to tell: ssh -F /dev/null HOST reads no settings',
      'on the client: grep -ri "match.*exec" ~/.ssh/config /etc/ssh/ssh_config /etc/ssh/ssh_config.d',
    ],
  }
}

function xauth(wait: Wait): Cause {
  return {
    code: 'ssh.xauth',
    says: `The client waits${long(wait)} for xauth.`,
    cause: 'For X11 forwarding it runs xauth; a lock that was left behind holds that up.',
    confidence: 'likely',
    remedy: [
      'to tell: ssh -x HOST',
      'on the client: time xauth list; ls ~/.Xauthority-*',
      'on the client: xauth -b quit removes the locks',
    ],
  }
}

export const CLIENT_CAUSES: Readonly<Partial<Record<PhaseKind, (wait: Wait) => Cause>>> = {
  client,
  lookup,
  address,
  proxy,
  banner,
  kex,
  hostkey,
  agent,
  gssapi,
  publickey: client,
  sign,
  xauth,
}
