/** What `ss -xna` prints: who is at the other end of a local socket. */

/** `u_str ESTAB 0 0 /run/dbus/system_bus_socket 8123 * 8122`: from 8122 to that path. */
export function localPeers(text: string): ReadonlyMap<string, string> {
  const paths = new Map<string, string>()
  const peers = new Map<string, string>()
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/)
    const [path, inode, , peer] = words.slice(-4)
    if (words.length < 8 || !/^\d+$/.test(inode ?? '') || !/^\d+$/.test(peer ?? '')) continue
    if (path !== '*') paths.set(inode!, path!)
    peers.set(inode!, peer!)
  }
  const known = Array.from(peers, ([inode, peer]) => [inode, paths.get(peer)] as const)
  return new Map(known.flatMap(([inode, path]) => (path === undefined ? [] : [[inode, path] as const])))
}
