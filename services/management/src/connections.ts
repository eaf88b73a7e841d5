import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Node's own `closeIdleConnections` leaves those that have not sent a request
 * yet, which clients open ahead, and those whose stream ends after it was
 * called. Either would hold up the end of the process until its deadline.
 */
export function trackConnections(server: Server): { closeIdle(): void } {
  /** How many requests each carries now. */
  const open = new Map<Socket, number>();
  let closing = false;
  const note = (socket: Socket, change: 1 | -1): void => {
    const requests = open.get(socket);
    if (requests === undefined) return;
    open.set(socket, requests + change);
    if (closing && requests + change === 0) socket.end();
  };
  server.on('connection', (socket) => {
    open.set(socket, 0);
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    note(socket, 1);
    response.once('close', () => note(socket, -1));
  });
  return {
    /** Now, and from now on as soon as they are. */
    closeIdle() {
      closing = true;
      for (const [socket, requests] of open) if (requests === 0) socket.end();
    },
  };
}
