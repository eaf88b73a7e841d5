import type { ApiClient } from '@klingapi/mcp';

const TASK = {
  id: 'text-to-image-1',
  kind: 'text-to-image',
  status: 'processing',
  createdAt: '2026-11-24T10:00:00.000Z',
  updatedAt: '2026-11-24T10:00:01.000Z',
} as const;

/** Stands for the API service, inside the process: what is left to measure is MCP itself. */
export const BACKEND: ApiClient = {
  create: async () => TASK,
  task: async () => TASK,
  wait: async () => TASK,
  picture: async () => null,
  ask: async () => {
    throw new Error('the eight tools ask for nothing else');
  },
  revalidate: async () => {
    throw new Error('nobody asks for models');
  },
  isDown: () => false,
  close: async () => {},
};
