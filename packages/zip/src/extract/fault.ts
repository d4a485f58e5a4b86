/** What a file system says. */

export const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? 'unknown'

/** With these nothing more can be written at all. */
const FATAL: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this account is used up',
  EROFS: 'the file system may only be read',
  EIO: 'the disk does not work',
  EMFILE: 'too many files are open; raise ulimit -n',
  ENFILE: 'too many files are open on this machine',
}

export const fatal = (error: unknown): string | undefined => FATAL[codeOf(error)]
