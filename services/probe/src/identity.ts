import { z } from 'zod';

/** What a good reply to an opening request says about the server. */
export interface Introduction {
  name: string;
  version: string;
  protocolVersions: string[];
}

/** Every version that opens with `initialize`; there will be no more of them. */
const LEGACY_VERSIONS: readonly string[] = ['2024-10-07', '2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];

const dated = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const serverInfo = z.object({ name: z.string().min(1), version: z.string() });

const initializeResult = z.object({
  protocolVersion: z.string(),
  capabilities: z.record(z.string(), z.unknown()),
  serverInfo,
});

const discoverResult = z.object({
  supportedVersions: z.array(z.string()),
  capabilities: z.record(z.string(), z.unknown()),
  _meta: z
    .object({ 'io.modelcontextprotocol/serverInfo': serverInfo.optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

const unsupportedVersion = z.object({ supported: z.array(z.string()) });

/** The result of `initialize`, or null when something a client relies on is missing. */
export function readInitializeResult(result: unknown): Introduction | null {
  const read = initializeResult.safeParse(result);
  if (!read.success) return null;
  const { protocolVersion, serverInfo: info } = read.data;
  return { name: info.name, version: info.version, protocolVersions: [protocolVersion] };
}

/** The result of `server/discover`; naming itself is a SHOULD, so the name may be empty. */
export function readDiscoverResult(result: unknown): Introduction | null {
  const read = discoverResult.safeParse(result);
  if (!read.success) return null;
  const info = read.data._meta?.['io.modelcontextprotocol/serverInfo'];
  return { name: info?.name ?? '', version: info?.version ?? '', protocolVersions: read.data.supportedVersions };
}

/** Versions named by the error "unsupported protocol version" (-32022). */
export function readSupportedVersions(data: unknown): string[] {
  const read = unsupportedVersion.safeParse(data);
  return read.success ? read.data.supported : [];
}

export function isLegacyVersion(version: string): boolean {
  return LEGACY_VERSIONS.includes(version);
}

/** Versions are dates, so their order is the order of the text. */
export function isModernVersion(version: string): boolean {
  return dated.safeParse(version).success && version >= '2026-07-28';
}
