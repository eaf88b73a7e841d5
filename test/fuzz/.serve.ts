import { writeFileSync } from 'node:fs';
import { startTarget } from '/tmp/wt-fuzz/test/fuzz/target.ts';

const auth = process.argv[2] as 'callers' | 'none';
const t = await startTarget({ auth, ...(process.argv[3] ? { databaseUrl: process.argv[3] } : {}) });
writeFileSync('/tmp/fuzz-url', t.url);
setInterval(() => writeFileSync('/tmp/fuzz-failures', t.failures.join('\n')), 500);
setTimeout(async () => {
  await t.close();
  process.exit(0);
}, 600_000);
process.on('SIGTERM', async () => {
  writeFileSync('/tmp/fuzz-failures', t.failures.join('\n'));
  await t.close();
  process.exit(0);
});
