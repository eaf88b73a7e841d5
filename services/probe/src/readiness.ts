import type { ManagementRoute } from '@klingapi/management';
import type { Monitor } from './monitor.ts';
import { isReady } from './report.ts';

/**
 * `/readyz` and `/handshake` of every process with a monitor.
 * @param draining true once the process is going down: not ready, whatever the handshake says
 */
export function handshakeRoutes(
  monitor: Monitor,
  draining: () => boolean = () => false,
): Record<'/readyz' | '/handshake', ManagementRoute> {
  return {
    '/readyz': async () => {
      const report = await monitor.check();
      return { status: isReady(report.verdict) && !draining() ? 200 : 503, body: report };
    },
    '/handshake': () => {
      const report = monitor.last();
      return report === null ? { status: 404, body: { status: 'no handshake yet' } } : { status: 200, body: report };
    },
  };
}
