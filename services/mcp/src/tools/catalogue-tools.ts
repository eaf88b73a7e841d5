import { KINDS } from '@klingapi/kling';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { callOf } from '../call.ts';
import { type Model, modelSchema } from '../catalogue.ts';
import { memoised } from '../memoised.ts';
import { metaOf } from './cost.ts';
import type { CreateTool } from './create-tool.ts';
import { CREATE_TOOLS } from './creates.ts';
import type { Offers } from './offers.ts';
import { orErrorResult } from './result.ts';
import type { ToolDependencies } from './tool-dependencies.ts';
import { isOffered, type Toolsets } from './toolsets.ts';

/** What can be made, what it would cost, and what was spent. None of these tools costs anything. */
export const CATALOGUE_TOOL_NAMES = ['list_models_tool', 'estimate_cost_tool', 'get_usage_tool'] as const;

const annotations = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };
const _meta = metaOf(false);

const modelsArguments = memoised(
  z.strictObject({ kind: z.enum(KINDS).optional().describe('One kind of task; all without it') }),
);
const modelsOutput = memoised(
  z.looseObject({ kinds: z.array(z.looseObject({ kind: z.string(), models: z.array(modelSchema) })) }),
);

/** One for each choice of toolsets: tools that are switched off are named nowhere. */
const estimates = new Map<Toolsets, ReturnType<typeof estimateArguments>>();
function estimateArguments(toolsets: Toolsets) {
  const offered = CREATE_TOOLS.filter(({ toolset }) => isOffered(toolset, toolsets)).map(({ name }) => name);
  return memoised(
    z.strictObject({
      tool: z.enum(offered).describe('The create tool that would be called'),
      arguments: z.record(z.string(), z.unknown()).describe('The arguments that it would be called with'),
    }),
  );
}
function estimateArgumentsOf(toolsets: Toolsets): ReturnType<typeof estimateArguments> {
  const made = estimates.get(toolsets) ?? estimateArguments(toolsets);
  estimates.set(toolsets, made);
  return made;
}
const estimateSchema = z.looseObject({
  possible: z.boolean().describe('Whether nothing speaks against it, as far as is known'),
  errors: z.array(z.looseObject({ field: z.string(), problem: z.string(), hint: z.string().optional() })),
  estimate: z
    .looseObject({
      units: z.number(),
      usd: z.number().describe('At list price'),
      per: z.string().optional().describe('Then it is the price of one of these'),
    })
    .optional()
    .describe('Absent where no price is known'),
});
const estimateOutput = memoised(estimateSchema);
type Estimate = z.infer<typeof estimateSchema>;

const usageArguments = memoised(
  z.strictObject({
    since: z.iso.datetime().optional().describe('From when on, e.g. 2026-11-01T00:00:00Z; 30 days without it'),
  }),
);
const usageSchema = z.looseObject({
  since: z.string(),
  until: z.string(),
  usage: z.array(
    z.looseObject({ kind: z.string(), model: z.string(), tasks: z.int(), units: z.number(), usd: z.number() }),
  ),
});
const usageOutput = memoised(usageSchema);

export function offerCatalogueTools(offers: Offers, { api, catalogue, toolsets }: ToolDependencies): void {
  offers.quick(
    'list_models_tool',
    {
      title: 'Models',
      description:
        'Lists the models of each kind of task with their lengths, resolutions and abilities. The first of a kind is the one that is taken without a choice.',
      inputSchema: modelsArguments,
      outputSchema: modelsOutput,
      annotations,
      _meta,
    },
    async ({ kind: wanted }) => {
      const all = await catalogue.kinds();
      const kinds = wanted === undefined ? all : all.filter(({ kind }) => kind === wanted);
      if (kinds.length === 0) return refusal(`The API service makes no ${wanted}.`);
      return told(kinds.map(({ kind, models }) => `${kind}: ${inWords(models)}`).join('\n'), { kinds: [...kinds] });
    },
  );

  offers.quick(
    'estimate_cost_tool',
    {
      title: 'What a task would cost',
      description:
        'Tells what a call of a create tool would cost and why it could not succeed, without making anything. Costs nothing.',
      inputSchema: estimateArgumentsOf(toolsets),
      outputSchema: estimateOutput,
      annotations,
      _meta,
    },
    ({ tool: name, arguments: given }, ctx) =>
      orErrorResult(async () => {
        const tool = CREATE_TOOLS.find((each) => each.name === name);
        if (tool === undefined) return refusal(`${name} is no create tool.`);
        const wanted = tryRequest(tool, given);
        if (typeof wanted === 'string') return refusal(wanted);
        const request = { method: 'POST', path: '/api/estimate', body: wanted } as const;
        const found = await api.ask(callOf(ctx), request, estimateSchema);
        return told(estimateInWords(found), found);
      }),
  );

  offers.quick(
    'get_usage_tool',
    {
      title: 'What was spent',
      description: 'Tells how many tasks the caller made, by kind and model, and what they cost.',
      inputSchema: usageArguments,
      outputSchema: usageOutput,
      annotations,
      _meta,
    },
    ({ since }, ctx) =>
      orErrorResult(async () => {
        const query = since === undefined ? '' : `?since=${encodeURIComponent(since)}`;
        const found = await api.ask(callOf(ctx), { method: 'GET', path: `/api/usage${query}` }, usageSchema);
        const lines = found.usage.map(
          ({ kind, model, tasks, units, usd }) => `${kind}, ${model}: ${tasks} tasks, ${units} units, $${usd}`,
        );
        const heading = `From ${found.since} to ${found.until}:`;
        return told([heading, ...(lines.length === 0 ? ['nothing was made'] : lines)].join('\n'), found);
      }),
  );
}

function told(text: string, structuredContent: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text }], structuredContent };
}

function refusal(text: string): CallToolResult {
  return { isError: true, content: [{ type: 'text', text }] };
}

function inWords(models: readonly Model[]): string {
  const lines = models.map(({ id, seconds, resolutions = [], note }) => {
    const abilities = [seconds === undefined ? undefined : `${seconds} s`, resolutions.join('/') || undefined, note];
    const known = abilities.filter((ability) => ability !== undefined).join(', ');
    return known === '' ? id : `${id} (${known})`;
  });
  return lines.length === 0 ? 'no choice of model' : lines.join('; ');
}

/** @returns in words why the tool would not take the arguments */
function tryRequest(tool: CreateTool, given: unknown): ReturnType<CreateTool['requestOf']> | string {
  try {
    return tool.requestOf(given);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const lines = error.issues.map(({ path, message }) => `- ${path.join('.') || 'arguments'}: ${message}`);
    return [`${tool.name} does not take these arguments:`, ...lines, 'Correct them and call the tool again.'].join(
      '\n',
    );
  }
}

function estimateInWords({ possible, errors, estimate }: Estimate): string {
  const against = errors.map(
    ({ field, problem, hint }) => `- ${field}: ${problem}${hint === undefined ? '' : ` (${hint})`}`,
  );
  const each = estimate?.per === undefined ? '' : ` for each ${estimate.per}`;
  const price =
    estimate === undefined
      ? 'Its price is not known.'
      : `It would cost about ${estimate.units} units${each}, $${estimate.usd} at list price.`;
  return possible ? price : ['It could not succeed:', ...against].join('\n');
}
