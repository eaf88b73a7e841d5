/** Colours, on a terminal alone. */
import { styleText } from 'node:util';

export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

const plain = (text: string): string => text;
export const PLAIN: Paint = { good: plain, bad: plain, warn: plain, dim: plain, bold: plain };

type Style = Parameters<typeof styleText>[0];
const styled =
  (style: Style) =>
  (text: string): string =>
    text === '' ? '' : styleText(style, text, { validateStream: false });

const COLOURED: Paint = {
  good: styled('green'),
  bad: styled('red'),
  warn: styled('yellow'),
  dim: styled('gray'),
  bold: styled('bold'),
};

/** @param env `NO_COLOR` of any value and `TERM=dumb` mean none (https://no-color.org) */
export const paintFor = (isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Paint =>
  isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb' ? COLOURED : PLAIN;

/** `True` is good, `False` is bad, anything else is neither. */
export const byStatus = (paint: Paint, status: string): ((text: string) => string) =>
  status === 'True' ? paint.good : status === 'False' ? paint.bad : paint.warn;
