import type { DocsDocument } from './docs.ts';

type Operation = DocsDocument['paths'][string][string];

export const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
details { border: 1px solid #8886; border-radius: .5rem; margin: .5rem 0; padding: .5rem 1rem }
summary { cursor: pointer } summary b { display: inline-block; min-width: 3.5rem }
code, textarea, input, pre { font: .9rem/1.4 ui-monospace, monospace }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 } td, th { text-align: left; padding: .2rem .6rem .2rem 0; vertical-align: top }
textarea, input { width: 100%; box-sizing: border-box; padding: .4rem } textarea { min-height: 6rem }
pre { overflow: auto; background: #8882; padding: .6rem; border-radius: .4rem } img { max-width: 100% }
button { margin: .5rem 0; padding: .3rem 1.2rem }
`;

/** Sends what is in the form; the key stays in the page and is stored nowhere. */
export const SCRIPT = `
document.addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target, out = form.querySelector('output'), key = document.querySelector('#key').value.trim();
  let path = form.dataset.path;
  for (const field of form.querySelectorAll('[data-param]')) {
    path = path.replace('{' + field.dataset.param + '}', encodeURIComponent(field.value.trim()));
  }
  const text = form.querySelector('textarea'), file = form.querySelector('[type=file]')?.files[0];
  const headers = {};
  if (key) headers.authorization = 'Bearer ' + key;
  if (text) headers['content-type'] = 'application/json';
  if (file) headers['content-type'] = file.type || 'application/octet-stream';
  out.textContent = 'waiting';
  try {
    const reply = await fetch(path, { method: form.dataset.method, headers, ...(text || file ? { body: file || text.value } : {}) });
    out.textContent = '';
    const line = document.createElement('p');
    line.textContent = 'HTTP ' + reply.status;
    out.append(line);
    if ((reply.headers.get('content-type') || '').startsWith('image/')) {
      const picture = document.createElement('img');
      picture.src = URL.createObjectURL(await reply.blob());
      out.append(picture);
    } else {
      const text = await reply.text(), pre = document.createElement('pre');
      try { pre.textContent = JSON.stringify(JSON.parse(text), null, 2); } catch { pre.textContent = text.slice(0, 2000); }
      out.append(pre);
    }
  } catch (error) { out.textContent = String(error); }
});
`;

/** The page: every operation with its fields and a form to try it. */
export function renderDocs(document: DocsDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => renderOperation(path, method.toUpperCase(), operation)),
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(document.info.title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(document.info.title)} <small>${escapeHtml(document.info.version)}</small></h1>
<p>Creates answer 202 with a task; ask for it by its id, or wait for it. Errors are <code>application/problem+json</code>.
For programs: <a href="/docs/json">OpenAPI</a>.</p>
<p><label>Key of a caller <input id="key" type="password" autocomplete="off" placeholder="sent as Authorization: Bearer …"></label></p>
${operations.join('\n')}
<script>${SCRIPT}</script></body></html>
`;
}

function renderOperation(path: string, method: string, operation: Operation): string {
  const params = [...path.matchAll(/\{(\w+)\}/g)].map(
    ([, name = '']) => `<label>${escapeHtml(name)} <input data-param="${escapeHtml(name)}" required></label>`,
  );
  const body = operation.requestBody;
  return `<details><summary><b>${method}</b> <code>${escapeHtml(path)}</code> ${escapeHtml(operation.summary)}</summary>
${body === undefined ? '' : renderFields(body)}
<form data-path="${escapeHtml(path)}" data-method="${method}">${params.join('')}
${body === undefined ? '' : renderBody(body)}
<button>Send</button><output></output></form></details>`;
}

function renderBody({ isFile, required }: NonNullable<Operation['requestBody']>): string {
  return isFile
    ? '<label>File <input type="file" required></label>'
    : `<label>Body <textarea>${escapeHtml(example(required))}</textarea></label>`;
}

function renderFields({ properties, required }: NonNullable<Operation['requestBody']>): string {
  const rows = Object.entries(properties).map(([name, field]) => {
    const values = field.enum?.map(String).join(', ') ?? [field.type ?? ''].flat().join(' or ');
    const range =
      field.minimum !== undefined && field.maximum !== undefined ? `, ${field.minimum} to ${field.maximum}` : '';
    const fallback = field.default === undefined ? '' : JSON.stringify(field.default);
    return `<tr><td><code>${escapeHtml(name)}</code>${required.includes(name) ? ' *' : ''}</td><td>${escapeHtml(values + range)}</td>
<td><code>${escapeHtml(fallback)}</code></td><td>${escapeHtml(field.description ?? '')}</td></tr>`;
  });
  return rows.length === 0
    ? ''
    : `<table><tr><th>field</th><th>takes</th><th>default</th><th></th></tr>${rows.join('')}</table>`;
}

function example(required: readonly string[]): string {
  const value = (name: string) => (name.includes('image') ? 'https://example.com/picture.png' : 'a fox in the snow');
  return JSON.stringify(Object.fromEntries(required.map((name) => [name, value(name)])), null, 2);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
