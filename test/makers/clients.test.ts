import { startMcp, TOOL_NAMES } from '@klingapi/mcp';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { runPythonClient } from './python.ts';

const seenSchema = z.array(
  z.object({
    mode: z.string(),
    tools: z.array(z.string()),
    service: z.string(),
    prompt: z.string(),
    failed: z.boolean(),
    answer: z.string(),
  }),
);

it('a client in Python uses our server in both eras, and is told in words that the API is down', async () => {
  const mcp = await startMcp({
    host: '127.0.0.1',
    port: 0,
    path: '/mcp/v1',
    management: { host: '127.0.0.1', port: 0 },
    apiUrl: 'http://127.0.0.1:1',
    auth: 'none',
    callersDir: undefined,
    internalKey: undefined,
    allowedHosts: [],
    allowedOrigins: [],
    handshakeTimeoutMs: 3000,
  });
  try {
    const modes = ['legacy', 'auto', '2026-07-28'];
    const seen = seenSchema.parse(JSON.parse(await runPythonClient([mcp.url, ...modes])));
    expect(seen.map(({ mode }) => mode)).toEqual(modes);
    for (const { tools, service, prompt, failed, answer } of seen) {
      expect(tools).toEqual([...TOOL_NAMES]);
      expect(service).toBe('kling');
      expect(prompt).toContain('create_text_to_image_tool');
      expect([failed, answer]).toEqual([true, expect.stringContaining('The API service did not answer')]);
    }
  } finally {
    await mcp.close();
  }
});
