import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { McpOptions } from '@klingapi/mcp';
import { parse } from 'yaml';
import { z } from 'zod';
import { CommandError, runCommand } from '../../scripts/images/run-command.ts';
import { startFixture } from './fixture/start.ts';
import { type Recorded, startRecorder } from './recorder.ts';

export type Revision = '2025-11-25' | '2026-07-28';

export interface Outcome {
  /** Scenarios that count for the revision, with the ids of their checks that did not pass. */
  scored: Map<string, string[]>;
  /** The same of all others that ran. */
  unscored: Map<string, string[]>;
  passedChecks: number;
  /** What the suite posted. */
  requests: readonly Recorded[];
  /** Of the suite itself: 0 when all scored scenarios passed. */
  exitCode: number | null;
}

const SUITE = join(dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')));
const requirements = z.object({ server: z.array(z.string()) });
const checks = z.array(z.object({ id: z.string(), status: z.string() }));
/** `INFO` and `SKIPPED` are no verdict; a `WARNING` is a SHOULD that is not kept, and counts here. */
const FINE = new Set(['SUCCESS', 'INFO', 'SKIPPED']);

/** Starts the fixture, runs the official suite against it without any list of exceptions, and reads what it wrote. */
export async function runSuite(
  revision: Revision,
  options: Partial<McpOptions>,
  scenarioTimeoutMs: number,
): Promise<Outcome> {
  const port = await freePort();
  // The suite wants the address to be called localhost, and a page of that very origin to be let in.
  const fixture = await startFixture({ allowedOrigins: [`http://localhost:${port}`], ...options });
  const recorder = await startRecorder(port, fixture.url);
  const results = await mkdtemp(join(tmpdir(), 'conformance-'));
  try {
    const exitCode = await runCommand(process.execPath, [
      ...[join(SUITE, 'dist/index.js'), 'server', '--url', `http://localhost:${port}/mcp/v1`],
      ...['--requirements', revision, '--timeout', String(scenarioTimeoutMs), '-o', results],
    ]).then(
      () => 0,
      (error: unknown) => {
        if (error instanceof CommandError) return error.exitCode;
        throw error;
      },
    );
    return { ...(await readResults(revision, results)), requests: recorder.requests, exitCode };
  } finally {
    recorder.close();
    await fixture.close();
    await rm(results, { recursive: true, force: true });
  }
}

async function readResults(revision: Revision, folder: string) {
  const wanted = requirements.parse(parse(await readFile(join(SUITE, `requirements/${revision}.yaml`), 'utf8')));
  const scored = new Map<string, string[]>();
  const unscored = new Map<string, string[]>();
  let passedChecks = 0;
  for (const name of wanted.server) scored.set(name, ['did not run']);
  for (const entry of await readdir(folder)) {
    const name = /^server-(.+)-\d{4}-\d{2}-\d{2}T[^/]*$/.exec(entry)?.[1];
    if (name === undefined) continue;
    const found = checks.parse(JSON.parse(await readFile(join(folder, entry, 'checks.json'), 'utf8')));
    const problems = found.filter(({ status }) => !FINE.has(status)).map(({ id }) => id);
    if (!scored.has(name)) {
      unscored.set(name, problems);
      continue;
    }
    scored.set(name, problems);
    passedChecks += found.filter(({ status }) => status === 'SUCCESS').length;
  }
  return { scored, unscored, passedChecks };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
