/** Milliseconds that this thread has computed: other work on the machine does not count. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
