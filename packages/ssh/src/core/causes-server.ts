/** Waits for the server, from the first request to log in to the end. */
import type { PhaseKind } from './phase.ts'
import {
  type Cause,
  dnsBetween,
  dnsText,
  isDbusCall,
  isDbusGreeting,
  isFailDelay,
  isTooCoarse,
  long,
  lookedUpAgain,
  mayBeDbusCall,
  paddedFrom,
  RELOAD,
  SERVER_CONFIG,
  secondsText,
  UNDO_SERVER,
  versionOf,
  type Wait,
} from './wait.ts'

function start(wait: Wait): Cause {
  const { why, isDns } = startWhy(wait)
  const what = 'It looks the address of the client up (UseDNS), or prepares PAM; which, the log does not tell.'
  return {
    code: 'ssh.auth-start',
    says: `The server takes${long(wait)} to answer the first request to log in.`,
    cause: why === '' ? what : `${why} ${what}`,
    confidence: isDns ? 'likely' : 'possible',
    remedy: [
      'to tell, on the server: time getent hosts ADDRESS-OF-THE-CLIENT; sshd -T | grep -i usedns',
      `${SERVER_CONFIG}: "UseDNS no" (${usualUseDns(wait)}); ${RELOAD}`,
      "in the DNS: a PTR record for the client's address; or on the server, /etc/resolv.conf: a resolver that answers",
    ],
    undo: UNDO_SERVER,
  }
}

/** It is off by default since 6.8 (2015). */
function usualUseDns({ login }: Wait): string {
  const version = versionOf(login.software)
  if (version === undefined) return 'up to 6.7 it is on by default'
  return version < 6.08 ? 'it is on by default there' : 'it is off by default there, so look whether it is set'
}

function startWhy(wait: Wait): { why: string; isDns: boolean } {
  const { seconds } = wait
  const low = paddedFrom(wait)
  if (seconds === null) return { why: '', isDns: false }
  if (low === undefined) {
    const dns = dnsText(wait)
    const other = isTooCoarse(wait) ? '' : 'It is no whole number of waits of DNS (5 s).'
    return { why: dns ?? other, isDns: dns !== undefined }
  }
  const fitting = dnsBetween(low, seconds).map((one) => `${one} s`)
  const fits =
    fitting.length === 0
      ? 'no whole number of waits of DNS (5 s) is within that: something is answered late.'
      : `of the waits of DNS (5 s each) ${fitting.join(' and ')} ${fitting.length === 1 ? 'is' : 'are'} within that.`
  return {
    why:
      `This OpenSSH doubles a short time until it is longer than its refusal took: this one took between ` +
      `${secondsText(low)} and ${secondsText(seconds)}, and ${fits}`,
    isDns: fitting.length > 0,
  }
}

function keys(wait: Wait): Cause {
  const { seconds, login } = wait
  const again = seconds === null ? undefined : lookedUpAgain(login)
  const source = /^Remote: (.*?)(?::\d+)?: key options/.exec(login.keySourceLine?.text ?? '')?.[1] ?? ''
  const isNamed = source !== '' && !source.includes('authorized_keys')
  const which = isNamed
    ? `The key comes from ${source}: likely an AuthorizedKeysCommand, such as one that asks LDAP.`
    : 'An AuthorizedKeysCommand (LDAP, SSSD) is slow, or the home folder lies on the network. Which, the log ' +
      'does not tell.'
  const both = 'Both times it asks for the keys of the user, the second time with the account check. '
  return {
    code: 'ssh.keys',
    says:
      `The server takes${long(wait)} to look up whether a key may log in` +
      `${again === undefined ? '' : `, and ${secondsText(again)} when it was signed with`}.`,
    cause: again === undefined ? which : `${both}${which}`,
    confidence: isNamed || again !== undefined ? 'likely' : 'possible',
    line: isNamed ? login.keySourceLine : null,
    remedy: [
      'to tell, on the server: sshd -T | grep -i authorizedkeys; then time that command, as the user it runs as',
      'on the server: let the command cache what it has found (sssd does), so that it need not ask each time',
      `${SERVER_CONFIG}: "AuthorizedKeysCommand none", if the keys are in files as well; ${RELOAD}`,
      'before you log out there: try a new login',
    ],
    undo: UNDO_SERVER,
  }
}

function account(wait: Wait): Cause {
  return {
    code: 'ssh.account',
    says: `The server takes${long(wait)} to accept the signed request.`,
    cause:
      'The key was looked up quickly before. PAM checks the account there (pam_access, sssd, LDAP, Active ' +
      'Directory); which module, the log does not tell.',
    confidence: 'possible',
    remedy: [
      'to tell, on the server: time id USER; time getent passwd USER; grep account /etc/pam.d/sshd and what ' +
        'it includes',
      'on the server: sssctl domain-status DOMAIN, where sssd is used; /etc/sssd/sssd.conf names its servers',
    ],
  }
}

const PADDED = 'This OpenSSH doubles a short time until it is longer than that took:'

function password(wait: Wait): Cause {
  const isTyped = wait.login.level === 1
  const isDelay = isFailDelay(wait)
  const low = paddedFrom(wait)
  return {
    code: 'ssh.password',
    says: `The answer to the password takes${long(wait)}.`,
    cause: [
      isTyped ? 'How much of it somebody typed for, a log of -v does not tell.' : '',
      isDelay ? '2 s is how long PAM waits after a wrong password.' : '',
      low === undefined ? '' : `${PADDED} at least ${secondsText(low)}.`,
      'PAM checks it (pam_unix, sssd, LDAP); which module, the log does not tell.',
    ]
      .filter((sentence) => sentence !== '')
      .join(' '),
    confidence: 'possible',
    remedy: [
      ...(isTyped ? ['to tell: log in with -vvv: then typing is a phase of its own'] : []),
      'to tell: log in with a key, which does not come through these modules',
      'on the server: grep auth /etc/pam.d/sshd and what it includes; time id USER',
    ],
  }
}

const DBUS_REMEDY = [
  "to tell, on the server: journalctl | grep 'pam_systemd.*Failed to create session'",
  'on the server: systemctl restart systemd-logind (not dbus: that makes logind hang on some systems)',
  'on the server: loginctl list-sessions | wc -l; ls /run/systemd/sessions | wc -l; very many keep logind busy',
]
const SESSION_REMEDY = [
  'to tell, on the server: for f in /etc/update-motd.d/*; do echo $f; time $f > /dev/null; done',
  'to tell, on the server: /usr/sbin/sshd -ddd -p 2222 -o UsePAM=no, and log in there: is that fast, it is PAM',
  'on the server: grep session /etc/pam.d/sshd and what it includes names the modules; ls -l /var/log/btmp',
  'on the server, /etc/pam.d/sshd: put # before the line of the slow module, and try a new login before you ' +
    'end this one',
]
const SESSION_UNDO = 'on the server: take the # away again in /etc/pam.d/sshd'

function session(wait: Wait): Cause {
  const says = `The server takes${long(wait)} to open the session.`
  const known = 'PAM opens it there; it is not the network, though the client may say "pledge: network".'
  if (isDbusCall(wait) || isDbusGreeting(wait)) {
    const whole = secondsText(Math.round(wait.seconds!))
    const what = `${whole} is how long ${isDbusCall(wait) ? 'a call' : 'the greeting'}`
    return {
      code: 'ssh.session-dbus',
      says,
      cause: `${known} ${what} of D-Bus waits: pam_systemd asks systemd-logind, and gets no answer.`,
      confidence: 'likely',
      remedy: [
        ...DBUS_REMEDY,
        'on the server: reboot, if systemd or dbus was updated since the last time',
        'on the server, /etc/pam.d/sshd or what it includes, at last: put # before "session optional ' +
          'pam_systemd.so", and try a new login before you end this one',
      ],
      undo: 'on the server: take the # away again in that file',
    }
  }
  const dns = dnsText(wait)
  const mayBeDbus = mayBeDbusCall(wait)
  return {
    code: 'ssh.session',
    says,
    cause:
      `${known} Which of its modules waits, the log does not tell: systemd-logind (a call of D-Bus ` +
      `waits 25 s${mayBeDbus ? ', which is within that' : ''}), scripts of pam_motd or pam_exec (as long as ` +
      `they run), pam_lastlog, pam_mount, a directory.${dns === undefined ? '' : ` ${dns}`}`,
    confidence: 'possible',
    remedy: mayBeDbus ? [...DBUS_REMEDY, ...SESSION_REMEDY] : SESSION_REMEDY,
    undo: SESSION_UNDO,
  }
}

function request(wait: Wait): Cause {
  return {
    code: 'ssh.request',
    says: `The server takes${long(wait)} to begin what was asked for.`,
    cause:
      'It makes a terminal, notes who logs in (utmp, lastlog) and starts a process. Which is slow, the log ' +
      'does not tell.',
    confidence: 'possible',
    remedy: [
      'to tell: ssh -T HOST true needs no terminal',
      'on the server: uptime; ls -l /var/log/lastlog /var/log/wtmp',
    ],
  }
}

function shell(wait: Wait): Cause {
  const isShell = wait.login.requested === 'shell'
  return {
    code: 'ssh.shell',
    says: isShell
      ? `The shell takes${long(wait)} to begin.`
      : `The command takes${long(wait)}, with what the shell reads before it.`,
    cause: isShell
      ? 'It reads /etc/profile, ~/.bash_profile or ~/.profile, ~/.bashrc, and sshd runs ~/.ssh/rc before. ' +
        'Which is slow, the log does not tell.'
      : 'sshd runs ~/.ssh/rc or /etc/ssh/sshrc, and the shell reads ~/.bashrc for a command too; or the ' +
        'command itself takes so long. Which, the log does not tell.',
    confidence: isShell ? 'likely' : 'possible',
    remedy: [
      'to tell: sftp HOST runs no shell and no ~/.bashrc; is that fast, it is one of these files',
      ...(isShell
        ? ["to tell: ssh -t HOST 'bash --noprofile --norc' reads no profile"]
        : ['to tell: ssh HOST true runs nothing of its own; is that fast, it is the command']),
      'on the server: time bash -lic exit; bash -lixc exit 2>&1 | ts -s %.s shows line by line what they ' +
        'do; cat ~/.ssh/rc',
    ],
  }
}

function close(wait: Wait): Cause {
  return {
    code: 'ssh.close',
    says: `It takes${long(wait)} to close.`,
    cause: 'A program that was left in the background still holds the output.',
    confidence: 'possible',
    remedy: [
      'to tell: ssh HOST true leaves nothing behind; is that fast, it is a program in the background',
      'on the server: what ~/.bashrc or ~/.ssh/rc starts with & gets > /dev/null 2>&1 < /dev/null',
    ],
  }
}

export const SERVER_CAUSES: Readonly<Partial<Record<PhaseKind, (wait: Wait) => Cause>>> = {
  start,
  keys,
  account,
  password,
  interactive: password,
  session,
  channel: request,
  request,
  first: shell,
  shell,
  close,
}
