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

type Connection = Awaited<ReturnType<PortForward['portForward']>>;

/**
 * A connection that is being opened cannot be called off, so one that opens too late is closed then.
 * @returns undefined where the client has gone meanwhile
 * @throws Error when the time is over
 */
function beforeTheEnd(opening: Promise<Connection>, client: Socket, limitMs: number): Promise<Connection | undefined> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const end = (): void => {
      isOver = true;
      clearTimeout(timer);
      client.off('close', onClose);
    };
    const onClose = (): void => {
      end();
      resolve(undefined);
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error(`no answer within ${limitMs / 1_000} s`));
    }, limitMs);
    client.once('close', onClose);
    if (client.destroyed) onClose();
    opening.then(
      (connection) => {
        if (isOver && typeof connection !== 'function') connection.close();
        end();
        resolve(connection);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
  });
}

/** @param at loopback port to listen on; a free one without it @throws CommandError where that port is taken */
export async function openForward(kube: Kube, target: PodPort, at = 0): Promise<Forward> {
  let failure: ForwardFailure | undefined;
  let waiting = 0;
  const sockets = new Set<Socket>();
  const forwarder = new PortForward(kube.config);

  async function carry(socket: Socket): Promise<void> {
    const told = new PassThrough().setEncoding('utf8');
    told.on('data', (text: string) => {
      failure = { message: text.trim() };
      socket.destroy();
    });
    const { namespace, pod, port } = target;
    waiting += 1;
    try {
      await kube.prepare();
      const opening = forwarder.portForward(namespace, pod, [port], socket, told, socket);
      const connection = await beforeTheEnd(opening, socket, kube.requestTimeoutMs);
      if (connection === undefined || typeof connection === 'function') return;
      connection.on('close', () => socket.end());
      socket.on('close', () => connection.close());
    } catch (error) {
      failure = failureOf(error, target);
      socket.destroy();
    } finally {
      waiting -= 1;
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
    failure: () => failure ?? (waiting > 0 ? failureOf('it has not answered yet', target) : undefined),
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
