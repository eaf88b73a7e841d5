/** A port of a pod at a loopback port of this machine, through the API server, as kubectl port-forward does it. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { PortForward } from '@kubernetes/client-node';
import { CommandError } from '../errors.ts';
import type { Kube } from './kubeconfig.ts';
import type { Refusal } from './refusal.ts';

export interface Forward {
  readonly port: number;
  /** What went wrong with the newest connection: it is not in what the client of the port sees. */
  failure(): ForwardFailure | undefined;
  close(): Promise<void>;
}

export type ForwardFailure = { readonly right: Refusal } | { readonly message: string };

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

function failureOf(error: unknown, { namespace, pod }: PodPort): ForwardFailure {
  const message =
    typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
  // the websocket library shows no more of the answer than its status
  if (/\b403\b/.test(message)) return { right: { verb: 'create', resource: 'pods/portforward', namespace } };
  if (/\b404\b/.test(message)) return { message: `pod ${pod} is gone` };
  return { message: `the API server does not forward to pod ${pod}: ${message}` };
}

/** @param at loopback port to listen on; a free one without it @throws CommandError where that port is taken */
export async function openForward(kube: Kube, target: PodPort, at = 0): Promise<Forward> {
  let failure: ForwardFailure | undefined;
  const sockets = new Set<Socket>();
  const forwarder = new PortForward(kube.config);

  async function carry(socket: Socket): Promise<void> {
    const told = new PassThrough().setEncoding('utf8');
    told.on('data', (text: string) => {
      failure = { message: text.trim() };
      socket.destroy();
    });
    try {
      const { namespace, pod, port } = target;
      const connection = await forwarder.portForward(namespace, pod, [port], socket, told, socket);
      if (typeof connection === 'function') return;
      connection.on('close', () => socket.end());
      socket.on('close', () => connection.close());
      if (socket.destroyed) connection.close();
    } catch (error) {
      failure = failureOf(error, target);
      socket.destroy();
    }
  }

  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    void carry(socket);
  });
  server.listen(at, '127.0.0.1');
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`port ${at} cannot be listened on (${error.code}): choose another one`);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the loopback port has no number');
  return {
    port: address.port,
    failure: () => failure,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Opens a forward for the time that `use` takes. */
export async function throughForward<T>(
  kube: Kube,
  target: PodPort,
  use: (forward: Forward) => Promise<T>,
): Promise<T> {
  const forward = await openForward(kube, target);
  try {
    return await use(forward);
  } finally {
    await forward.close();
  }
}
