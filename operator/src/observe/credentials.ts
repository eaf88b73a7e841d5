/** The headers with which a server is spoken to: our own take a signed assertion, any other what `headersSecretRef` names. */
import { signAssertion } from '@klingapi/identity';
import type { Secrets } from '../apply/secrets.ts';
import { mcpServer } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';

/** @param internalKey undefined where the Secret is not there yet */
export async function handshakeHeaders(
  klingApi: KlingApi,
  secrets: Secrets,
  internalKey: string | undefined,
): Promise<Record<string, string>> {
  if (mcpServer(klingApi.spec) === 'Kling') {
    if (internalKey === undefined) return {};
    const token = await signAssertion(
      { subject: 'system:handshake', audience: 'mcp', scopes: ['handshake'] },
      internalKey,
    );
    return { authorization: `Bearer ${token}` };
  }
  const reference = klingApi.spec.mcp.handshake.headersSecretRef;
  if (reference === undefined) return {};
  const data = (await secrets.read(klingApi.metadata.namespace, reference.name)) ?? {};
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, value.toString('utf8').trim()]));
}

export async function verificationAuthorization(internalKey: string): Promise<string> {
  return `Bearer ${await signAssertion({ subject: 'system:verification', audience: 'api', scopes: ['read', 'create'] }, internalKey)}`;
}
