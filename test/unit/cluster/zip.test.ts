import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { readZipEntry } from '../../cluster/zip.ts';

const folder = mkdtempSync(join(tmpdir(), 'kling-zip-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A ZIP archive by the book, with extra fields of different length in the two headers and a comment at the end. */
function zip(entries: Array<{ name: string; content: string; deflated: boolean }>): string {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  for (const { name, content, deflated } of entries) {
    const data = deflated ? deflateRawSync(content) : Buffer.from(content);
    const at = parts.reduce((sum, part) => sum + part.length, 0);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(deflated ? 8 : 0, 4);
    shared.writeUInt32LE(crc32(content), 10);
    shared.writeUInt32LE(data.length, 14);
    shared.writeUInt32LE(content.length, 18);
    shared.writeUInt16LE(name.length, 22);
    const local = Buffer.from(shared);
    local.writeUInt16LE(7, 24);
    parts.push(Buffer.from('PK\x03\x04'), local, Buffer.from(name), Buffer.alloc(7), data);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), shared, tail, Buffer.from(name));
  }
  const body = Buffer.concat(parts);
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(index.length, 8);
  end.writeUInt32LE(body.length, 12);
  end.writeUInt16LE(5, 16);
  const file = join(folder, 'a.zip');
  writeFileSync(file, Buffer.concat([body, index, Buffer.from('PK\x05\x06'), end, Buffer.from('hello')]));
  return file;
}

it('reads stored and deflated entries', async () => {
  const file = zip([
    { name: 'kubectl/kubectl', content: 'x'.repeat(5000), deflated: true },
    { name: 'helm/helm', content: 'helm itself', deflated: false },
  ]);
  expect((await readZipEntry(file, 'kubectl/kubectl')).toString()).toBe('x'.repeat(5000));
  expect((await readZipEntry(file, 'helm/helm')).toString()).toBe('helm itself');
  await expect(readZipEntry(file, 'helm')).rejects.toThrow('has no entry helm');
});

it('refuses what is no archive', async () => {
  const file = join(folder, 'text');
  writeFileSync(file, 'just text');
  await expect(readZipEntry(file, 'a')).rejects.toThrow('is not a ZIP archive');
});
