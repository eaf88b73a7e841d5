import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/** Connects as a client of today does, with or without the older era, and has the server add two numbers. */
export async function addTwoNumbers(url: string): Promise<unknown> {
  const client = new Client({ name: 'makers', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  return await call(client, url);
}

/** The same by `initialize`; sessions are ended afterwards. */
export async function addTwoNumbersLegacy(url: string): Promise<unknown> {
  return await call(new Client({ name: 'makers', version: '1' }, { versionNegotiation: { mode: 'legacy' } }), url);
}

async function call(client: Client, url: string): Promise<unknown> {
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport);
  try {
    const { content } = await client.callTool({ name: 'add', arguments: { a: 20, b: 22 } });
    return content;
  } finally {
    await client.close();
  }
}
