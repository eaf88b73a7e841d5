/** What the documents say exists: their links, their commands, their YAML; and both languages say the same. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { watchCallers } from '@klingapi/identity';
import { klingApiSchema } from '@klingapi/operator';
import { transform } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import packageJson from '../../package.json' with { type: 'json' };
import { commandsOf, pageCommands, playable, playedOf, playedPages } from '../docs/commands.ts';
import { type Page, ROOT, readPage, readPages } from '../docs/pages.ts';
import { documentedResources, resourcesIn } from '../docs/resources.ts';
import { readScript } from '../docs/script.ts';

const pages = await readPages();
const byPath = new Map(pages.map((page) => [page.path, page]));
const pageAt = (path: string) => {
  const page = byPath.get(path);
  if (page === undefined) throw new Error(`there is no ${path}`);
  return page;
};

/** @returns what is wrong with a link, in words */
async function problemOf(link: string, from: string): Promise<string | undefined> {
  if (/^(https?:|mailto:)/.test(link)) return undefined;
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? from : normalize(join(dirname(from), decodeURIComponent(file)));
  if (target.startsWith('..')) return `${link} leads out of the tree`;
  const there = await stat(join(ROOT, target)).catch(() => undefined);
  if (there === undefined) return `${link}: there is no ${target}`;
  if (anchor === undefined) return undefined;
  const page = byPath.get(target);
  if (page === undefined) return `${link}: ${target} is no page, so it has no #${anchor}`;
  return page.anchors.has(decodeURIComponent(anchor)) ? undefined : `${link}: ${target} has no heading #${anchor}`;
}

/** Comments are gone after esbuild, and quotes and line breaks are its own. @returns what is wrong with a test, in words */
async function problemsOfReader(source: string, path: string): Promise<string | undefined> {
  const { code } = await transform(source, { loader: 'ts', legalComments: 'none' });
  const call = `${path.endsWith('/') ? 'scriptsBelow' : 'scriptOf'}("${path}")`;
  return code.includes(call) ? undefined : `has no ${call}`;
}

describe('documents', () => {
  it.each(pages.map((page) => [page.path, page] as const))('%s: links lead somewhere', async (path, page) => {
    const problems = await Promise.all(page.links.map((link) => problemOf(link, path)));
    expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
  });

  it('a link to a file, a heading or a place that is not there is found', async () => {
    const page = readPage(
      'docs/x.md',
      '# A `code` title\n[a](no.md) [b](#a-code-title) [c](README.md#nothing) <img src="no.png">',
    );
    expect(await Promise.all(page.links.map((link) => problemOf(link, 'docs/README.md')))).toEqual([
      'no.md: there is no docs/no.md',
      '#a-code-title: docs/README.md has no heading #a-code-title',
      'README.md#nothing: docs/README.md has no heading #nothing',
      'no.png: there is no docs/no.png',
    ]);
    expect([...page.anchors]).toEqual(['a-code-title']);
  });

  it('every page under docs can be reached from the map', () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      const page = byPath.get(path);
      if (page === undefined || reached.has(path)) return;
      reached.add(path);
      for (const link of page.links)
        if (!/^[a-z]+:/.test(link)) visit(normalize(join(dirname(path), link.split('#')[0] ?? '')));
    };
    visit('README.md');
    // a folder is linked as a whole
    const left = pages
      .map(({ path }) => path)
      .filter((path) => path.startsWith('docs/') && !path.startsWith('docs/decisions/'));
    expect(left.filter((path) => !reached.has(path))).toEqual([]);
  });

  it('npm scripts that they name exist', async () => {
    for (const { path } of pages)
      for (const [, script] of (await readFile(join(ROOT, path), 'utf8')).matchAll(
        /npm run (?:-s )?([a-z][a-z0-9:-]*)/g,
      ))
        expect(Object.keys(packageJson.scripts), `${path}: npm run ${script}`).toContain(script);
  });
});

describe('YAML in documents', () => {
  it('is of objects that the schema takes', async () => {
    const resources = await documentedResources(pages);
    const klingApis = resources.filter(({ object }) => object.kind === 'KlingApi');
    expect(klingApis.length).toBeGreaterThanOrEqual(12);
    for (const { from, object } of klingApis) {
      const stored = {
        ...object,
        metadata: { namespace: 'media', uid: 'u', resourceVersion: '1', ...object.metadata },
      };
      expect(klingApiSchema.safeParse(stored).error, from).toBeUndefined();
    }
  });

  it('behind a controller that cuts waits and bodies carries what lifts that', async () => {
    const needed = ['proxy-read-timeout', 'proxy-send-timeout', 'proxy-body-size'].map(
      (name) => `nginx.ingress.kubernetes.io/${name}`,
    );
    const schema = z.looseObject({
      spec: z.looseObject({
        expose: z.looseObject({
          ingress: z.looseObject({
            className: z.literal('nginx'),
            annotations: z.record(z.string(), z.string()).default({}),
          }),
        }),
      }),
    });
    const found = (await documentedResources(pages)).flatMap(({ from, object }) => {
      const { data } = schema.safeParse(object);
      return data === undefined ? [] : [[from, Object.keys(data.spec.expose.ingress.annotations)] as const];
    });
    expect(found.length).toBeGreaterThan(0);
    for (const [from, annotations] of found) expect(annotations, from).toEqual(expect.arrayContaining(needed));
  });

  it('that is neither an object, a piece of a KlingApi, nor values of the chart is found', () => {
    expect(() => resourcesIn('replicaCount: 3', 'a page')).toThrow('a page: neither a Kubernetes object, ');
    expect(resourcesIn('replicas: 3', 'a page')).toEqual([]);
    expect(() => resourcesIn('a: [', 'a page')).toThrow(/^a page: /);
    expect(resourcesIn('# alerts.yaml\ngroups: []', 'a page')).toEqual([]);
  });
});

it('the callers with limits are callers', async () => {
  const secret = (await documentedResources(pages)).find(({ object }) => object.metadata?.name === 'studio-limits');
  const values = z.record(z.string(), z.string()).parse(secret?.object['stringData']);
  const folder = await mkdtemp(join(tmpdir(), 'kling-callers-'));
  for (const [name, value] of Object.entries(values)) await writeFile(join(folder, name), value);
  const problems: string[] = [];
  const callers = watchCallers(folder, { onError: (message) => problems.push(message) });
  expect(problems).toEqual([]);
  expect(callers.names().sort()).toEqual(Object.keys(values).sort());
  expect(callers.limitsOf('alice')).toEqual({ createsPerMinute: 10, unitsPerDay: 100 });
  callers.close();
  await rm(folder, { recursive: true });
});

it('the table of docs/mcp.md has the figures of the measurement', async () => {
  const section = (await readFile(join(ROOT, 'docs/mcp.md'), 'utf8')).split('### Speed and memory')[1] ?? '';
  const table = section.match(/^\|.*$/gm)?.join('\n') ?? '';
  const figures = (text: string): string[] => text.match(/\d+(?:[,.]\d+)*/g) ?? [];
  const measured = new Set(figures(await readFile(join(ROOT, 'test/bench/results/mcp.md'), 'utf8')));
  expect(figures(table).length).toBeGreaterThan(20);
  expect(figures(table).filter((figure) => !measured.has(figure))).toEqual([]);
});

describe('shell commands in documents', () => {
  const withCommands = pages.filter((page) => pageCommands(page).length > 0);
  const said = (page: Page) => pageCommands(page).map(({ command }) => command);

  it.each(withCommands.map((page) => [page.path, page] as const))(
    '%s: are typed, or not for a reason',
    (path, page) => {
      const played = playedOf(path);
      expect(played, `test/docs/commands.ts has to say who types the commands of ${path}`).toBeDefined();
      if (played?.like !== undefined) expect(said(page)).toEqual(said(pageAt(played.like)));
      const nobody = 'no test is named, so each command needs a reason';
      if (played?.by === undefined) expect(playable(page), nobody).toEqual([]);
    },
  );

  it.each(playedPages)('%s: the test that is named for it asks for its commands', async (path, { by, like }) => {
    const here = withCommands.filter(
      (page) => page.path === path || (path.endsWith('/') && page.path.startsWith(path)),
    );
    expect(here, 'a page without commands is named').not.toEqual([]);
    if (by === undefined) return;
    expect(here.flatMap(playable), `nothing is left for ${by} to type`).not.toEqual([]);
    expect(await problemsOfReader(await readFile(join(ROOT, by), 'utf8'), like ?? path), by).toBeUndefined();
  });

  it('none hides in a block of another language', () => {
    const looksTyped = /^(kubectl|helm|npm|npx|curl|sh|node|git|docker|kind|export|cosign|gh) .*/gm;
    const hidden = pages.flatMap(({ path, code }) =>
      code
        .filter(({ language }) => language !== 'sh')
        .flatMap(({ text }) => (text.match(looksTyped) ?? []).map((line) => `${path}: ${line}`)),
    );
    expect(hidden).toEqual([]);
  });

  it('what a test does not ask for is left', () => {
    const script = readScript(pageAt('docs/console.md'));
    const [first, ...others] = script.left();
    expect(others).toHaveLength(1);
    expect(script.command('helm upgrade')).toBe(first);
    expect(script.left()).toEqual(others);
    expect(script.commands('Open it')).toEqual([first, ...others]);
    expect(script.left()).toEqual([]);
    expect(() => script.command('kubectl delete')).toThrow(
      'docs/console.md has no command that begins with kubectl delete',
    );
    expect(() => script.commands('Close it')).toThrow('docs/console.md has no commands below Close it');
    expect(() => readScript(pageAt('test/bench/README.md'))).toThrow('test/docs/commands.ts names no test');
  });

  it('a test that only speaks of a page is found', async () => {
    const page = 'docs/ingress.md';
    const reads = `const script = await scriptOf('${page}');`;
    expect(await problemsOfReader(reads, page)).toBeUndefined();
    expect(await problemsOfReader(`await scriptsBelow('docs/runbooks/')`, 'docs/runbooks/')).toBeUndefined();
    for (const text of [`// ${reads}`, `/* ${reads} */`, `readFile('${page}')`, reads.replace('ingress', 'console')])
      expect(await problemsOfReader(text, page), text).toBe(`has no scriptOf("${page}")`);
  });

  it.each(playedPages)(
    '%s: reasons are for commands that are there, and name files that are',
    async (path, { except = {} }) => {
      const commands = withCommands.filter((page) => page.path.startsWith(path)).flatMap(said);
      for (const [command, reason] of Object.entries(except)) {
        expect(commands, 'an exception that is none').toContain(command);
        for (const [file] of reason.matchAll(/\b(?:test|scripts|services|operator)\/[\w./-]*\w/g))
          await expect(stat(join(ROOT, file)), file).resolves.toBeDefined();
      }
    },
  );

  it('are read whole', () => {
    expect(commandsOf('npm run demo   # a remark\nhelm install x \\\n  --set a=b\n\nkubectl get x')).toEqual([
      'npm run demo',
      'helm install x --set a=b',
      'kubectl get x',
    ]);
  });
});

describe('the Chinese pages', () => {
  const PAIRS = [
    ['README.md', 'README.zh.md'],
    ['docs/quickstart.md', 'docs/zh/quickstart.md'],
  ] as const;
  const outline = (path: string) => pageAt(path).headings.map(({ depth }) => depth);
  const commands = (path: string) =>
    pageAt(path)
      .code.filter(({ language }) => language === 'sh')
      .map(({ text }) => commandsOf(text));
  const yaml = (path: string) =>
    pageAt(path)
      .code.filter(({ language }) => language === 'yaml')
      .map(({ text }) => text.replace(/region: \w+/, 'region'));
  /** Where links lead, in the words of the English pages. */
  const targets = (path: string) =>
    new Set(
      pageAt(path).links.map((link) =>
        normalize(join(dirname(path), link))
          .replace(/^docs\/zh\//, 'docs/')
          .replace(/\.zh\.(svg|md)$/, '.$1'),
      ),
    );

  it.each(PAIRS)('%s and %s have the same sections, commands, YAML and links', (english, chinese) => {
    expect(outline(chinese)).toEqual(outline(english));
    expect(commands(chinese)).toEqual(commands(english));
    expect(yaml(chinese)).toEqual(yaml(english));
    expect(targets(chinese)).toEqual(targets(english));
  });

  it.each(PAIRS)('%s and %s lead to each other', (english, chinese) => {
    const leads = (from: string, to: string) =>
      pageAt(from).links.some((link) => normalize(join(dirname(from), link)) === to);
    expect(leads(english, chinese)).toBe(true);
    expect(leads(chinese, english)).toBe(true);
  });
});
