import { text } from 'node:stream/consumers';
import { klingApiSchema } from '../resource/klingapi.ts';
import { repairReport } from './markdown.ts';

const { metadata, status } = klingApiSchema.parse(JSON.parse(await text(process.stdin)));
const repair = status?.repairs?.[0];
if (repair === undefined) {
  process.stderr.write(`KlingApi ${metadata.name} was never repaired\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(repairReport(metadata, repair));
}
