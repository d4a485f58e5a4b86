/** A real nginx with archives, and a path to it that is cut and falls silent as a test says. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { find, type Ground, until } from '../harness.ts'

const PORT = 8080

export interface Nginx {
  readonly folder: string
  readonly host: string
  url(path: string): URL
  /** The same under TLS, by a certificate that nobody has signed. */
  tlsUrl(path: string): URL
  readonly certificate: string
  /** What was asked for since the last time: status, path, Range, If-Range, X-Token, Authorization. */
  asked(): Promise<string[]>
}

/** Starts it; it ends with the test. Everything that it writes is in the folder of the test. */
export async function startNginx(ground: Ground, archive: Buffer): Promise<Nginx> {
  const { folder } = ground
  const [host, other] = [ground.address(2), ground.address(3)]
  const subject = ['-subj', '/CN=archives', '-addext', `subjectAltName=IP:${host}`, '-days', '2']
  const files = ['-keyout', join(folder, 'key'), '-out', join(folder, 'certificate')]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  execFileSync(find('openssl'), ['req', '-x509', ...key, ...subject, ...files], { stdio: 'ignore' })
  mkdirSync(join(folder, 'www'))
  writeFileSync(join(folder, 'www/a.zip'), archive)
  writeFileSync(join(folder, 'www/a.zip.gz'), gzipSync(archive, { level: 1 }))
  writeFileSync(join(folder, 'www/small.zip'), archive.subarray(0, 70_000))
  writeFileSync(join(folder, 'www/empty.zip'), '')
  writeFileSync(join(folder, 'users'), 'ann:{PLAIN}pass@word\n')
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, host, other))
  const running = ground.start(find('nginx'), ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'])
  await until('nginx', async () => {
    if (running.status !== undefined) throw new Error(running.complaints)
    return fetch(`http://${host}:${PORT}/empty.zip`).then(
      () => true,
      () => false,
    )
  })
  let [read, marks] = [0, 0]
  // It writes what was asked for after it has answered: when it has written this too, all before it is there.
  const asked = async () => {
    const mark = `/mark-${marks++}`
    await (await fetch(`http://${host}:${PORT}${mark}`)).text()
    const lines = await until('the log of nginx', () => {
      const all = readFileSync(join(folder, 'log'), 'utf8').split('\n').slice(0, -1)
      return all.some((line) => line.startsWith(`404 ${mark} `)) && all
    })
    const fresh = lines.slice(read).filter((line) => !line.includes('/mark-'))
    read = lines.length
    return fresh
  }
  await asked()
  return {
    folder,
    host,
    url: (path) => new URL(`http://${host}:${PORT}${path}`),
    tlsUrl: (path) => new URL(`https://${host}:${PORT + 1}${path}`),
    certificate: readFileSync(join(folder, 'certificate'), 'utf8'),
    asked,
  }
}

function configuration(folder: string, host: string, other: string): string {
  const here = `alias ${folder}/www/;`
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
master_process off;
pid ${folder}/pid;
events {}
http {
  client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3;
  uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
  log_format asked escape=none '$status $uri $http_range $http_if_range $http_x_token $http_authorization';
  access_log ${folder}/log asked;
  limit_req_zone $server_addr zone=busy:32k rate=2r/s;
  server {
    listen ${host}:${PORT};
    root ${folder}/www;
    location /none/ { ${here} max_ranges 0; }
    location /packed/ { ${here} gzip_static always; }
    location /slow/ { ${here} limit_rate 2m; }
    location /undated/ { ${here} etag off; }
    location /auth/ { ${here} auth_basic archives; auth_basic_user_file ${folder}/users; }
    location /busy/ { ${here} limit_req zone=busy; limit_req_status 429; add_header Retry-After 1 always; }
    location /forbidden { return 403; }
    location /gone { return 410; }
    location /moved { return 302 /a.zip?signature=secret; }
    location /away { return 307 http://${other}:${PORT}/a.zip; }
    location /round { return 301 /round; }
    location /ftp { return 301 ftp://${other}/a.zip; }
  }
  server {
    listen ${host}:${PORT + 1} ssl;
    ssl_certificate ${folder}/certificate;
    ssl_certificate_key ${folder}/key;
    root ${folder}/www;
    location /down { return 302 http://${host}:${PORT}/a.zip; }
  }
  server { listen ${other}:${PORT}; root ${folder}/www; }
}
`
}

export interface Path {
  readonly port: number
  /** Of each connection that was made, what came back through it, bytes. */
  readonly passed: number[]
  close(): Promise<void>
}

/**
 * Passes on to nginx what is sent to it. `limits`: of each connection in turn, how many bytes come back before it is
 * cut, or, when negative, before it falls silent; those after the last are left alone.
 */
export async function openPath(from: string, to: string, limits: readonly number[]): Promise<Path> {
  const sockets = new Set<Socket>()
  const passed: number[] = []
  const server = createServer((client) => {
    const number = passed.push(0) - 1
    const limit = limits[number] ?? Number.POSITIVE_INFINITY
    const upstream = connect(PORT, to)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream)
    upstream.on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, Math.max(0, Math.abs(limit) - passed[number]!))
      passed[number]! += part.length
      if (!client.write(part)) upstream.pause()
      if (passed[number]! < Math.abs(limit)) return
      if (limit < 0) upstream.pause()
      else client.end(() => client.destroy())
    })
    client.on('drain', () => {
      if (passed[number]! < Math.abs(limit)) upstream.resume()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, from, resolve))
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  return { port: (server.address() as { port: number }).port, passed, close }
}
