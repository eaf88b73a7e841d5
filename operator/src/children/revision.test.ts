import { describe, expect, it } from 'vitest';
import { klingApiOf } from '../testing.ts';
import { controllerRevision, templateOf } from './controller-revision.ts';
import { named, RESTARTED_AT, REVISION_LABEL, stamped } from './revision.ts';

const template = named({
  metadata: { labels: { a: 'b' }, annotations: { mine: 'yes', 'klingapi.dev/upstream-secrets': 'one' } },
  spec: { containers: [{ name: 'mcp', image: 'mcp:1' }] },
});
const nameOf = (of: typeof template): string | undefined => of.metadata?.labels?.[REVISION_LABEL];

describe('the name of a pod template', () => {
  it('stays whatever is stamped on it', () => {
    const { [REVISION_LABEL]: _, ...labels } = template.metadata?.labels ?? {};
    const again = { ...template, metadata: { labels, annotations: { mine: 'yes', [RESTARTED_AT]: 'now' } } };
    expect(nameOf(named(again))).toBe(nameOf(template));
  });

  it('changes with anything else', () => {
    const image = { ...template, spec: { containers: [{ name: 'mcp', image: 'mcp:2' }] } };
    expect(nameOf(named(image))).not.toBe(nameOf(template));
  });
});

it('a kept template comes back with the stamps of today', () => {
  const kept = controllerRevision(klingApiOf(), nameOf(template) ?? '', template);
  expect(kept.metadata.name).toBe(`studio-mcp-${nameOf(template)}`);
  expect(JSON.stringify(kept)).not.toContain('upstream-secrets');
  const back = templateOf(kept);
  const today = named({ ...template, metadata: { annotations: { 'klingapi.dev/upstream-secrets': 'two' } } });
  expect(back && stamped(back, today, { [RESTARTED_AT]: 'now' })).toEqual({
    ...template,
    metadata: {
      ...template.metadata,
      annotations: { mine: 'yes', 'klingapi.dev/upstream-secrets': 'two', [RESTARTED_AT]: 'now' },
    },
  });
  expect(templateOf({ data: { template: { spec: 'odd' } } })).toBeUndefined();
});
