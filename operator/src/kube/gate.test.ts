import { expect, test } from 'vitest';
import type { KubeClient } from './client.ts';
import { settle } from './clock.testing.ts';
import { createGate } from './gate.ts';

const POD = { apiVersion: 'v1', kind: 'Pod', namespace: 'media', name: 'p' };
const OBJECT = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'media', name: 'p' } };

function gated() {
  const called: string[] = [];
  const open: (() => void)[] = [];
  const call = (name: string) => async () => {
    called.push(name);
    await new Promise<void>((resolve) => open.push(resolve));
    return OBJECT;
  };
  const client = { get: call('get'), apply: call('apply'), create: call('create') };
  const gate = createGate({ ...client, replace: call('replace'), delete: call('delete') } as unknown as KubeClient);
  const answer = () => {
    for (const resolve of open.splice(0)) resolve();
  };
  return { gate, called, answer };
}

test('closing waits for the write that is under way, however it ends, and for no read', async () => {
  const { gate, answer } = gated();
  const write = gate.client.apply(OBJECT, { fieldManager: 'x' });
  let closed = false;
  const closing = gate.close().then(() => {
    closed = true;
  });
  await settle();
  expect(closed).toBe(false);
  answer();
  expect(await write).toBe(OBJECT);
  await closing;
});

test('a closed gate lets no write through, and reads as before', async () => {
  const { gate, called, answer } = gated();
  await gate.close();
  for (const write of [
    () => gate.client.apply(OBJECT, { fieldManager: 'x' }),
    () => gate.client.create(OBJECT),
    () => gate.client.replace(OBJECT),
    () => gate.client.delete(POD),
  ])
    await expect(write()).rejects.toMatchObject({ code: 'Aborted', retryable: false });
  expect(called).toEqual([]);
  const read = gate.client.get(POD);
  answer();
  expect(await read).toBe(OBJECT);
});

test('a record that is being written is followed by its deletion, and by no other', async () => {
  const { gate, called, answer } = gated();
  const repair = gate.together(async () => {
    await gate.client.apply(OBJECT, { fieldManager: 'x' });
    await gate.client.delete(POD);
  });
  await settle();
  const closing = gate.close();
  await expect(gate.together(() => gate.client.delete(POD))).rejects.toMatchObject({ code: 'Aborted' });
  answer();
  await settle();
  answer();
  await repair;
  await closing;
  expect(called).toEqual(['apply', 'delete']);
  await expect(gate.client.delete(POD)).rejects.toMatchObject({ code: 'Aborted' });
});
