/** What the commands of images and of releases take. */
import { z } from 'zod';

export const archSchema = z.enum(['amd64', 'arm64'], { error: 'the architecture is amd64 or arm64' });
export const registrySchema = z
  .string({ error: 'a registry is needed, as in registry.example.com/team' })
  .regex(
    /^[a-z0-9[][a-z0-9.:[\]-]*(\/[a-z0-9._-]+)*\/?$/,
    'the registry must look like registry.example.com/team, in small letters and without https://',
  )
  .transform((value) => value.replace(/\/+$/, ''));
/** A folder on the web. */
export const downloadsSchema = z
  .url({ protocol: /^https$/, error: '--downloads must look like https://example.com/releases/v1.2.3' })
  .transform((value) => value.replace(/\/+$/, ''));

/** What to tell of an error, without where it came from. */
export function problemsOf(error: unknown): string {
  if (error instanceof z.ZodError) return error.issues.map((issue) => issue.message).join('\n');
  return error instanceof Error ? error.message : String(error);
}
