import { defineConfig } from 'vitest/config';

/**
 * Projects: `unit` (seconds, no cluster), `makers` (the handshake against servers
 * of other makers), `fuzz` (the API service against what its document allows and
 * forbids), `conformance` (the protocol's own suite),
 * `page` (the pages of API and operator in a real browser), `crd` (the real API
 * server; `crd-alone`, after it, is what changes the definition under everybody),
 * `e2e` (the real node). `e2e` splits into cases that run concurrently, each in
 * a namespace of its own, and `node` cases that touch the node and run alone.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // most of them wait for sockets and processes, not for a core
          maxWorkers: 4,
          testTimeout: 30_000,
          include: ['operator/**/*.test.ts', 'services/**/*.test.ts', 'scripts/**/*.test.ts', 'test/unit/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
        },
      },
      {
        // Servers of other makers as processes; their packages are installed once.
        test: {
          name: 'makers',
          include: ['test/makers/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        // Bounded by the seconds that each setting is given.
        test: {
          name: 'fuzz',
          include: ['test/fuzz/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 60_000,
          maxWorkers: 1,
        },
      },
      {
        // The protocol's own suite; bounded by its time for each scenario.
        test: { name: 'conformance', include: ['test/conformance/**/*.test.ts'], testTimeout: 240_000, maxWorkers: 1 },
      },
      {
        // Chromium against the API as a process; the first run may install Chromium.
        test: {
          name: 'page',
          include: ['test/page/**/*.test.ts'],
          testTimeout: 90_000,
          hookTimeout: 600_000,
          maxWorkers: 1,
        },
      },
      {
        test: {
          name: 'crd',
          include: ['test/crd/**/*.test.ts'],
          exclude: ['test/crd/alone/**'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'crd-alone',
          include: ['test/crd/alone/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          globalSetup: ['test/e2e/setup.ts'],
          include: ['test/e2e/**/*.test.ts'],
          exclude: ['test/e2e/node/**'],
          testTimeout: 600_000,
          hookTimeout: 300_000,
          maxWorkers: 3,
        },
      },
      {
        test: {
          name: 'node',
          globalSetup: ['test/e2e/setup.ts'],
          include: ['test/e2e/node/**/*.test.ts', 'test/cluster/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 300_000,
          maxWorkers: 1,
        },
      },
    ],
  },
});
