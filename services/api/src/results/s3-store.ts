import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { AwsV4Signer } from 'aws4fetch';
import { Agent, type Dispatcher, request } from 'undici';
import { pathOf, type ResultKey, type ResultStore, ResultStoreError } from './result-store.ts';

export interface S3Options {
  /** `https://s3.eu-central-1.amazonaws.com`, `http://minio:9000`. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  /** Before each key: `studio/`. */
  readonly prefix: string;
  /** The bucket in the path, not in the host name. */
  readonly forcePathStyle: boolean;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const TIMEOUT_MS = 60_000;
const TRIES = 3;
/** Instead of a digest that is not known before the last byte. */
const UNSIGNED = 'UNSIGNED-PAYLOAD';
/** SHA-256 of nothing. */
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

interface Call {
  readonly method: 'PUT' | 'GET' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** Signed too, so that what was changed on the way is refused. */
  readonly sha256?: string;
  /** Made anew for each try. */
  readonly body?: () => Readable;
  readonly signal?: AbortSignal;
}

/** Copies in a bucket of any store that speaks S3. Only objects under the prefix are touched. */
export function createS3Store(options: S3Options): ResultStore {
  const agent = new Agent({ connect: { timeout: 10_000 }, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });

  const call = async (key: ResultKey, { sha256 = EMPTY, headers, method, body, signal }: Call) => {
    const signed = await new AwsV4Signer({
      method,
      url: addressOf(options, options.prefix + pathOf(key)),
      headers: { 'x-amz-content-sha256': sha256, ...headers },
      accessKeyId: options.accessKeyId,
      secretAccessKey: options.secretAccessKey,
      service: 's3',
      region: options.region,
    }).sign();
    return await request(signed.url, {
      dispatcher: agent,
      method,
      headers: Object.fromEntries(signed.headers),
      ...(body === undefined ? {} : { body: body() }),
      ...(signal === undefined ? {} : { signal }),
    });
  };

  /** Every call may be made again: it puts the same bytes, reads, or removes. */
  const patiently = async (key: ResultKey, each: Call): Promise<Dispatcher.ResponseData> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const reply = await call(key, each);
        if (reply.statusCode < 300 || reply.statusCode === 404) return reply;
        const problem = await refusalOf(reply);
        if (attempt >= TRIES || reply.statusCode < 500) throw problem;
      } catch (error) {
        if (error instanceof ResultStoreError || each.signal?.aborted === true) throw error;
        if (attempt >= TRIES) throw new ResultStoreError('the bucket cannot be reached', { cause: error });
      }
    }
  };

  return {
    async write(key, { content, bytes, type }, signal) {
      // What breaks the stream is the cause, not how the connection ended then.
      let cause: unknown;
      const watched = async function* () {
        try {
          yield* content;
        } catch (error) {
          cause = error;
          throw error;
        }
      };
      const headers = { 'content-type': type, 'content-length': String(bytes) };
      const reply = await call(key, {
        ...{ method: 'PUT', sha256: UNSIGNED, headers, signal },
        body: () => Readable.from(watched(), { objectMode: false }),
      }).catch((error: unknown) => {
        throw cause ?? new ResultStoreError('the bucket cannot be reached', { cause: error });
      });
      if (reply.statusCode >= 300) throw await refusalOf(reply);
      await reply.body.dump();
    },
    async put(key, file) {
      const reply = await patiently(key, {
        method: 'PUT',
        sha256: file.sha256,
        headers: { 'content-type': file.type, 'content-length': String(file.bytes) },
        body: () => createReadStream(file.path),
      });
      await reply.body.dump();
      if (reply.statusCode === 404) throw new ResultStoreError('there is no such bucket');
    },
    async get(key, range, signal) {
      const headers = range === undefined ? {} : { range: `bytes=${range.first}-${range.last}` };
      const reply = await patiently(key, { method: 'GET', headers, signal });
      if (reply.statusCode !== 404) return reply.body;
      await reply.body.dump();
      return undefined;
    },
    async remove(key) {
      const reply = await patiently(key, { method: 'DELETE' });
      await reply.body.dump();
    },
    close: () => agent.destroy(),
  };
}

async function refusalOf({ statusCode, body }: Dispatcher.ResponseData): Promise<ResultStoreError> {
  const told = (await body.text()).match(/<Code>([A-Za-z0-9]{1,64})<\/Code>/)?.[1] ?? '';
  return new ResultStoreError(`the bucket answered HTTP ${statusCode} ${told}`.trim());
}

/** The address of an object. Pure. */
export function addressOf(
  { endpoint, bucket, forcePathStyle }: Pick<S3Options, 'endpoint' | 'bucket' | 'forcePathStyle'>,
  path: string,
): string {
  const url = new URL(endpoint);
  const base = url.pathname.replace(/\/+$/, '');
  if (!forcePathStyle) url.host = `${bucket}.${url.host}`;
  url.pathname = `${base}/${forcePathStyle ? `${bucket}/` : ''}${path}`;
  return url.href;
}
