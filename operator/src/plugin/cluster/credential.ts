/** The credential of a program that the kubeconfig names (`exec`), such as one that logs in through a browser. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { Cluster, KubeConfig, User } from '@kubernetes/client-node';
import { z } from 'zod';
import { CommandError } from '../errors.ts';

const execSchema = z.object({
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  apiVersion: z.string().optional(),
  installHint: z.string().optional(),
  interactiveMode: z.string().optional(),
  provideClusterInfo: z.boolean().optional(),
});
type Exec = z.output<typeof execSchema>;

const credentialSchema = z.object({
  kind: z.literal('ExecCredential'),
  status: z.object({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.string().optional(),
  }),
});
type Credential = z.output<typeof credentialSchema>['status'];

export interface CredentialOptions {
  readonly signal: AbortSignal;
  /** Somebody is only typing: nothing is asked of them, and nothing is said. */
  readonly isQuiet: boolean;
}

/** What the program is told, as kubectl tells it. */
function execInfo(exec: Exec, cluster: Cluster, interactive: boolean): string {
  const { server, caData, tlsServerName, skipTLSVerify, proxyUrl } = cluster;
  const about = {
    ...{ server, 'certificate-authority-data': caData, 'tls-server-name': tlsServerName },
    ...{ 'insecure-skip-tls-verify': skipTLSVerify, 'proxy-url': proxyUrl },
  };
  return JSON.stringify({
    kind: 'ExecCredential',
    apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1',
    spec: { interactive, ...(exec.provideClusterInfo === true ? { cluster: about } : {}) },
  });
}

async function obtain(exec: Exec, cluster: Cluster, user: string, options: CredentialOptions): Promise<Credential> {
  const subject = `the credential plugin ${exec.command} of user "${user}" in the kubeconfig`;
  const interactive = !options.isQuiet && exec.interactiveMode !== 'Never' && process.stdin.isTTY === true;
  const child = spawn(exec.command, exec.args ?? [], {
    // a device code or a question is on standard error
    stdio: [interactive ? 'inherit' : 'ignore', 'pipe', options.isQuiet ? 'ignore' : 'inherit'],
    env: {
      ...process.env,
      ...Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value])),
      KUBERNETES_EXEC_INFO: execInfo(exec, cluster, interactive),
    },
    signal: options.signal,
  });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'a signal'));
  });
  const [said, code] = await Promise.all([text(child.stdout), ended]).catch((error: NodeJS.ErrnoException) => {
    options.signal.throwIfAborted();
    const hint = exec.installHint === undefined ? 'install it' : exec.installHint.trim();
    throw new CommandError(
      error.code === 'ENOENT'
        ? `${subject} is not installed: ${hint}`
        : `${subject} cannot be started: ${error.message}`,
    );
  });
  if (code !== 0)
    throw new CommandError(`${subject} gave no credential: it ended with ${code}, see what it says above`);
  const credential = credentialSchema.safeParse(jsonOrNull(said));
  if (credential.success) return credential.data.status;
  throw new CommandError(`${subject} gave something other than an ExecCredential`);
}

function jsonOrNull(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return null;
  }
}

/** As a kubeconfig holds it. */
function asUser({ token, clientCertificateData, clientKeyData }: Credential): Partial<User> {
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
  return {
    ...(token === undefined ? {} : { token }),
    ...(clientCertificateData === undefined ? {} : { certData: base64(clientCertificateData) }),
    ...(clientKeyData === undefined ? {} : { keyData: base64(clientKeyData) }),
  };
}

/**
 * Puts the credential into the user of a kubeconfig: once for all calls, however many begin together, and again when it has
 * ended. How long it takes is up to the person who logs in.
 *
 * @returns to be waited for before each call; undefined where the user needs no program
 * @throws CommandError
 */
export function credentialOf(config: KubeConfig, options: CredentialOptions): (() => Promise<void>) | undefined {
  const user = config.getCurrentUser();
  const cluster = config.getCurrentCluster();
  const exec = execSchema.safeParse(user?.exec).data;
  if (user === null || cluster === null || exec === undefined) return undefined;
  const put = (more: Partial<User>): void => {
    const { exec: _, ...plain } = user;
    config.users = config.users.map((entry) => (entry.name === user.name ? { ...plain, ...more } : entry));
  };
  let endsAt = Number.POSITIVE_INFINITY;
  let obtained: Promise<void> | undefined;
  const renew = async (): Promise<void> => {
    const before = endsAt;
    // calls that come while the program runs wait for it
    endsAt = Number.POSITIVE_INFINITY;
    try {
      const credential = await obtain(exec, cluster, user.name, options);
      const { expirationTimestamp } = credential;
      if (expirationTimestamp !== undefined) endsAt = Date.parse(expirationTimestamp);
      put(asUser(credential));
    } catch (error) {
      // a first login that failed is not asked for again, a later one is
      endsAt = before;
      throw error;
    }
  };
  return () => {
    if (Date.now() >= endsAt) obtained = undefined;
    obtained ??= renew();
    return obtained;
  };
}
