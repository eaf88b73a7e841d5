/** The request that a server answered last before it broke, from its log. */
import { redact } from '@klingapi/probe';

/** An access line as uvicorn and most others write it: `127.0.0.1:45842 - "POST /mcp/v1/ HTTP/1.1" 200 OK`. */
const ACCESS = /"([A-Z]{3,10}) (\S{1,1000}) HTTP\/[\d.]{1,3}" (\d{3})\b/;

/** What ends a task group of anyio, and with it a session manager, stands in the log as a group; else any first traceback counts. */
const BREAKS = [/Exception Group Traceback/, /Traceback \(most recent call last\)/];

/** @returns method, path and status, without the caller's address or the query, which may hold a secret; undefined where the log does not show one */
export function lastRequestBefore(log: string): string | undefined {
  const lines = log.split('\n');
  const broke = BREAKS.map((sign) => lines.findIndex((line) => sign.test(line))).find((index) => index >= 0);
  if (broke === undefined) return undefined;
  const [, method, target, status] =
    lines
      .slice(0, broke)
      .findLast((line) => ACCESS.test(line))
      ?.match(ACCESS) ?? [];
  if (method === undefined || target === undefined) return undefined;
  return redact(`${method} ${target.split(/[?#]/)[0]} (HTTP ${status})`, [], 256);
}
