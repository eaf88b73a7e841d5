/** docs/repair.svg: one repair as it was measured (docs/repair.yaml), second by second, in English and in Chinese. */
import type { StoredRepair } from '../../test/demo/stored-repair.ts';

const WIDTH = 860;
const LEFT = 196;
const RIGHT = 836;
const LANES = { health: 92, clients: 142, steps: 190 };
const ROW = 24;
/** The animation runs twice as fast as the repair did. */
const SPEED = 2;

export type Language = 'en' | 'zh';

interface Words {
  readonly title: (repair: StoredRepair) => string;
  readonly sub: (repair: StoredRepair) => string;
  readonly health: readonly [string, string];
  readonly clients: readonly [string, string];
  readonly operator: readonly [string, string];
  readonly fault: string;
  readonly seconds: string;
  readonly answered: string;
  readonly failed: string;
  readonly healthy: string;
  readonly steps: Readonly<Record<string, string>>;
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    title: ({ message }) => message.replace(/\. Make sure.*$/, ''),
    sub: ({ pods, date }) => `One repair at the default settings, ${pods} MCP pods, measured on ${date}`,
    health: ['Plain health check', 'GET /livez, broken pod'],
    clients: ['MCP clients', 'initialize, via the Service'],
    operator: ['Operator', 'the record in status.repairs'],
    fault: 'fault',
    seconds: 's',
    answered: 'answered',
    failed: 'failed',
    healthy: 'HTTP 200 to the end',
    steps: {
      LastFailure: 'last failed request: the pod is out',
      HandshakeFailed: 'first failed handshake',
      Diagnosed: 'diagnosed',
      PodDeleted: 'pod deleted',
      ReplacementStarted: 'replacement started',
      Serving: 'replacement serves MCP',
      Verified: 'verified',
    },
  },
  zh: {
    title: ({ message }) => message.replace(/\. Make sure.*$/, ''),
    sub: ({ pods, date }) => `默认配置下的一次自动修复，${pods} 个 MCP Pod，实测于 ${date}`,
    health: ['普通健康检查', 'GET /livez（故障 Pod）'],
    clients: ['MCP 客户端', '经 Service 发 initialize'],
    operator: ['Operator', 'status.repairs 里的记录'],
    fault: '故障发生',
    seconds: '秒',
    answered: '正常应答',
    failed: '请求失败',
    healthy: '自始至终 HTTP 200',
    steps: {
      LastFailure: '最后一次请求失败：该 Pod 已被摘除',
      HandshakeFailed: '首次握手失败',
      Diagnosed: '确诊',
      PodDeleted: '删除 Pod',
      ReplacementStarted: '替代 Pod 启动',
      Serving: '替代 Pod 恢复 MCP 服务',
      Verified: '验证通过',
    },
  },
};

const STYLE = `
svg { font: 13px ui-sans-serif, system-ui, -apple-system, "Segoe UI", "PingFang SC", "Noto Sans CJK SC", sans-serif; }
.paper { fill: #ffffff; stroke: #d0d7de; } .ink { fill: #1f2328; } .pale { fill: #59636e; }
.rule { stroke: #d0d7de; } .good { fill: #1a7f37; } .bad { fill: #cf222e; } .mark { stroke: #cf222e; }
.head { font-size: 15px; font-weight: 600; } .name { font-weight: 600; } .small { font-size: 11.5px; }
@media (prefers-color-scheme: dark) {
.paper { fill: #0d1117; stroke: #3d444d; } .ink { fill: #f0f6fc; } .pale { fill: #9198a1; }
.rule { stroke: #3d444d; } .good { fill: #3fb950; } .bad { fill: #f85149; } .mark { stroke: #f85149; }
}
@media (prefers-reduced-motion: no-preference) {
.then { animation: appear 0.25s both; }
@keyframes appear { from { opacity: 0; } }
}`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const round = (value: number): string => String(Math.round(value * 10) / 10);

export function repairPicture(repair: StoredRepair, language: Language): string {
  const words = WORDS[language];
  const happened = [...repair.steps, { name: 'LastFailure', after: Math.max(...repair.clients.failed) }].sort(
    (a, b) => a.after - b.after,
  );
  const last = Math.max(...happened.map(({ after }) => after), ...repair.clients.ok);
  const first = -2;
  const end = Math.ceil(last) + 0.5;
  const x = (after: number): number => LEFT + ((after - first) / (end - first)) * (RIGHT - LEFT);
  const then = (after: number): string =>
    `class="then" style="animation-delay:${round(Math.max(0, after - first) / SPEED)}s"`;
  const axis = LANES.steps + happened.length * ROW + 14;
  const height = axis + 34;

  const text = (at: number, y: number, kind: string, content: string, anchor = 'start'): string =>
    `<text x="${round(at)}" y="${round(y)}" class="${kind}"${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}>${escaped(content)}</text>`;
  const lane = (y: number, [name, sub]: readonly [string, string]): string =>
    `${text(16, y, 'ink name', name)}${text(16, y + 16, 'pale small', sub)}`;
  /** Samples in groups of half a second, which appear together. */
  const ticks = (y: number, { ok, failed }: StoredRepair['clients']): string => {
    const groups = new Map<number, string[]>();
    const draw = (after: number, kind: 'good' | 'bad', tall: number): void => {
      const bar = `<rect x="${round(x(after))}" y="${y - tall / 2}" width="2" height="${tall}" class="${kind}"/>`;
      const half = Math.floor(after * 2) / 2;
      groups.set(half, [...(groups.get(half) ?? []), bar]);
    };
    for (const after of ok) draw(after, 'good', 14);
    for (const after of failed) draw(after, 'bad', 26);
    return [...groups].map(([at, bars]) => `<g ${then(at)}>${bars.join('')}</g>`).join('\n');
  };
  const steps = happened.map(({ name, after }, index) => {
    const y = LANES.steps + index * ROW;
    const label = `${after.toFixed(1)} ${words.seconds}  ${words.steps[name] ?? name}${name === 'Verified' ? ` ${repair.summary}` : ''}`;
    const left = x(after) > (LEFT + RIGHT) / 2 + 60;
    const kind = index < 2 ? 'bad' : index >= happened.length - 2 ? 'good' : 'ink';
    return `<g ${then(after)}><circle cx="${round(x(after))}" cy="${y}" r="5" class="${kind}"/>${text(
      x(after) + (left ? -12 : 12),
      y + 4.5,
      'ink',
      label,
      left ? 'end' : 'start',
    )}</g>`;
  });
  const marks = Array.from({ length: Math.floor(end / 2) + 1 }, (_, index) => index * 2).map(
    (at) =>
      `<line x1="${round(x(at))}" y1="${axis}" x2="${round(x(at))}" y2="${axis + 5}" class="rule"/>${text(x(at), axis + 20, 'pale small', `${at} ${words.seconds}`, 'middle')}`,
  );
  const description = happened
    .map(({ name, after }) => `${after.toFixed(1)} ${words.seconds}: ${words.steps[name] ?? name}`)
    .join('; ');

  return `<!-- Drawn from docs/repair.yaml by \`npm run generate\`; do not edit. -->
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description">
<title id="title">${escaped(words.sub(repair))}</title>
<desc id="description">${escaped(description)} (${escaped(repair.summary)})</desc>
<style>${STYLE}
</style>
<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6" class="paper"/>
${text(16, 30, 'ink head', words.title(repair))}
${text(16, 50, 'pale', words.sub(repair))}
${lane(LANES.health - 4, words.health)}
${lane(LANES.clients - 4, words.clients)}
${lane(LANES.steps + 5, words.operator)}
<line x1="${LEFT}" y1="${axis}" x2="${RIGHT}" y2="${axis}" class="rule"/>
${marks.join('\n')}
<line x1="${round(x(0))}" y1="70" x2="${round(x(0))}" y2="${axis}" class="mark" stroke-dasharray="3 3"/>
${text(x(0) + 6, 74, 'bad small', words.fault)}
<rect x="${RIGHT - 160}" y="42" width="2" height="14" class="good"/>${text(RIGHT - 152, 54, 'pale small', words.answered)}
<rect x="${RIGHT - 70}" y="36" width="2" height="26" class="bad"/>${text(RIGHT - 62, 54, 'pale small', words.failed)}
<g ${then(Math.max(...repair.health.ok))}>${text(x(Math.max(...repair.health.ok)) + 10, LANES.health + 4, 'good small', words.healthy)}</g>
${ticks(LANES.health, repair.health)}
${ticks(LANES.clients, repair.clients)}
${steps.join('\n')}
</svg>
`;
}
