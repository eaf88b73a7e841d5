import type { Cluster } from './cluster.ts';
import { existingCluster } from './existing.ts';
import { kindNode } from './kind.ts';
import { ownNode } from './own-node.ts';

/** The cluster that the variable CLUSTER asks for; our own node without it. */
export function cluster(wanted = process.env['CLUSTER'] || 'node'): Cluster {
  switch (wanted) {
    case 'node':
      return ownNode;
    case 'kind':
      return kindNode;
    case 'existing':
      return existingCluster;
    default:
      throw new Error(`CLUSTER=${wanted} is unknown: leave it out for a node of our own, or say kind or existing`);
  }
}
