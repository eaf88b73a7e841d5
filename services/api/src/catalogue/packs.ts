import { ENDPOINTS, type Kind } from '@klingapi/kling';

/** The pack that a kind of task draws on. Source: deductions that were seen, 2026-09-21. */
export function packOf(kind: Kind): 'video' | 'image' {
  const { result } = ENDPOINTS[kind];
  return result === 'images' || result === 'elements' ? 'image' : 'video';
}
