import { adviceFor } from './advice.ts';
import type { HandshakeResult, Phases } from './report.ts';

/** Versions of this age belong to servers that a DELETE may kill (`session.ts`). */
const STURDY_SINCE = '2025-06-18';

/** A result for a person, in a few lines. */
export function inWords(url: string, result: HandshakeResult): string {
  const { verdict, diagnosis, message, era, evidence, server } = result;
  const lines = [
    `${verdict}${diagnosis === null ? '' : ` (${diagnosis})`}: ${message}`,
    `  address   ${withoutPassword(url)}`,
  ];
  if (server !== null) {
    const eras = era === 'Both' ? 'legacy and modern' : (era ?? '').toLowerCase();
    lines.push(`  server    ${server.name} ${server.version}`.trimEnd());
    lines.push(
      `  protocol  ${server.protocolVersions.join(', ')} (${eras})${server.sessionful ? ', with sessions' : ''}`,
    );
    const old = server.protocolVersions.every((version) => version < STURDY_SINCE);
    if (server.sessionful && old) {
      lines.push('  note      one session was left open: closing it may end a server this old');
    }
  }
  if (evidence.excerpt !== null && verdict !== 'Serving') lines.push(`  reply     ${evidence.excerpt}`);
  lines.push(`  time      ${phasesInWords(evidence.phases)}`);
  const advice = adviceFor(result);
  if (advice !== null) lines.push('', `What is wrong: ${advice.wrong}`, `What to do: ${advice.todo}`);
  return `${lines.join('\n')}\n`;
}

/** How long each phase took; phases that did not happen are left out. */
export function phasesInWords({ dnsMs = null, connectMs, tlsMs = null, firstByteMs, totalMs }: Phases): string {
  const marks: [string, number | null][] = [
    ['DNS', dnsMs],
    ['connect', connectMs],
    ['TLS', tlsMs],
    ['first byte', firstByteMs],
    [firstByteMs === null ? 'then nothing' : 'protocol', totalMs],
  ];
  let before = 0;
  const parts: string[] = [];
  for (const [name, at] of marks) {
    if (at === null) continue;
    parts.push(`${name} ${rounded(at - before)} ms`);
    before = at;
  }
  return `${parts.join(', ')}; total ${rounded(totalMs)} ms`;
}

function rounded(ms: number): number {
  return Math.round(Math.max(0, ms) * 100) / 100;
}

function withoutPassword(url: string): string {
  const shown = new URL(url);
  if (shown.password !== '') shown.password = '***';
  return shown.href;
}
