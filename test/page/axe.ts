import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { z } from 'zod';

const resultSchema = z.object({
  violations: z.array(z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) })),
});

/** What axe-core finds wrong with the page as it stands: rule and element. */
export async function violations(page: Page): Promise<readonly string[]> {
  // Through the debugger, because the page's own policy lets no other script in.
  await page.evaluate(axe.source);
  const result: unknown = await page.evaluate('axe.run()');
  return resultSchema.parse(result).violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
