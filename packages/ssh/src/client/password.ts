/** A password that is typed once and used for each login; it is on no disk, in no argument and in no environment. */
import { spawnSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Unseen } from '@fettle/check'

export interface Asking {
  readonly environment: Readonly<Record<string, string>>
  /** Of ssh: no question but that one is answered. */
  readonly settings: readonly string[]
  /** Before each login. */
  begin(): void
  close(): void
}

/**
 * Only a password is answered: no question whether to trust a host. The name of the pipe stands beside the script; the
 * line goes back into it for the next question.
 */
const SCRIPT = `#!/bin/sh
case $1 in
*assword*|*assphrase*) IFS= read -r line < "$0.pipe" && printf '%s\\n' "$line" | tee "$0.pipe" ;;
*) exit 1 ;;
esac
`
const PIPE_MAX = 65_536

/** ssh asks a program for it (ssh(1), SSH_ASKPASS), which reads it from a pipe of ours. */
export function askingWith(secret: string, display: string | undefined): Asking {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-ssh-'))
  const script = join(folder, 'askpass')
  const pipe = `${script}.pipe`
  writeFileSync(script, SCRIPT, { mode: 0o700 })
  const made = spawnSync('mkfifo', ['-m', '600', pipe])
  if (made.status !== 0) {
    rmSync(folder, { recursive: true, force: true })
    throw new Unseen(`${pipe}: no pipe can be made for the password`)
  }
  // Both ends are ours, so that nobody waits for the other.
  const end = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
  const empty = () => {
    try {
      while (readSync(end, Buffer.alloc(PIPE_MAX)) > 0);
    } catch {
      // There is nothing in it.
    }
  }
  return {
    // Up to 8.3 it asks a program only where there is a display, which is made up then.
    environment: { SSH_ASKPASS: script, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: display ?? ':0' },
    settings: [
      ...['StrictHostKeyChecking=yes', 'NumberOfPasswordPrompts=1'],
      ...(display === undefined ? ['ForwardX11=no'] : []),
    ],
    begin() {
      empty()
      writeSync(end, `${secret}\n`)
    },
    close() {
      closeSync(end)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
