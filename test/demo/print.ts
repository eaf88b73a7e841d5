/** The paper the story is told on: chapters, facts, and long work with its time. */
import { clearInterval, setInterval } from 'node:timers';

const tty = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
const paint = (code: number) => (text: string) => (tty ? `\u001b[${code}m${text}\u001b[0m` : text);
export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
export const yellow = paint(33);

const began = Date.now();
export const elapsed = (since = began): string => `${((Date.now() - since) / 1_000).toFixed(1)} s`;

export const say = (text = ''): void => void process.stdout.write(`${text}\n`);
export const chapter = (title: string): void => say(`\n${bold(title)} ${dim(`(${elapsed()})`)}`);
export const fact = (text: string): void => say(`  ${text}`);
export const good = (text: string): void => say(`  ${green('✓')} ${text}`);
export const bad = (text: string): void => say(`  ${red('✗')} ${text}`);

/** Runs long work; on a terminal its time goes on, elsewhere it is told when it is over. */
export async function during<T>(title: string, work: () => Promise<T>): Promise<T> {
  const since = Date.now();
  const timer = tty
    ? setInterval(() => process.stdout.write(`\r  … ${title} ${dim(elapsed(since))}\u001b[K`), 200)
    : undefined;
  try {
    const result = await work();
    if (tty) process.stdout.write('\r\u001b[K');
    good(`${title} ${dim(elapsed(since))}`);
    return result;
  } catch (error) {
    if (tty) process.stdout.write('\r\u001b[K');
    bad(`${title} ${dim(elapsed(since))}`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}
