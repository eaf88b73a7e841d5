/** Bodies of replies, read up to a bound: pods run what their owner likes, and one of them must not fill the operator's memory. */

/** @throws Error where the body is longer; the rest is never read */
export async function readBody(reply: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of reply.body ?? []) {
    bytes += chunk.byteLength;
    // leaving the loop ends the connection
    if (bytes > maxBytes) throw new Error(`the reply is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/** @throws Error where the body is longer or no JSON */
export async function readJson(reply: Response, maxBytes: number): Promise<unknown> {
  return JSON.parse((await readBody(reply, maxBytes)).toString('utf8'));
}
