/** An API server over TLS that answers everything alike and counts who connects; its certificate is made by openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { KubeConfig } from '@kubernetes/client-node';

export interface TlsServer {
  /** Trusts this server, and names itself by a certificate of its own. */
  kubeConfig(): KubeConfig;
  /** TLS connections that were ever made. */
  connections(): number;
  openConnections(): number;
  close(): Promise<void>;
}

export async function startTlsServer(): Promise<TlsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'kling-tls-'));
  const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile];
  const names = ['-subj', '/CN=server', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...names, '-days', '2', '-out', certificateFile], {
    stdio: 'ignore',
  });
  const [key, certificate] = [readFileSync(keyFile), readFileSync(certificateFile)];
  rmSync(folder, { recursive: true });

  const sockets = new Set<TLSSocket>();
  let connections = 0;
  const server = createServer({ key, cert: certificate }, (request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"kind":"Pod","metadata":{"name":"p"}}');
    });
  });
  server.on('secureConnection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    kubeConfig() {
      const config = new KubeConfig();
      const caData = certificate.toString('base64');
      config.loadFromClusterAndUser(
        { name: 'tls', server: `https://127.0.0.1:${port}`, caData, skipTLSVerify: false },
        { name: 'test', certData: caData, keyData: key.toString('base64') },
      );
      return config;
    },
    connections: () => connections,
    openConnections: () => sockets.size,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
