import { z } from 'zod';

/**
 * Failures on request, by the header `x-sandbox-fault`, by the account (`fault-1102`), or by the option `fault`:
 * a business code of the vendor's table, `timeout` (no answer, no task),
 * `after-create-reset` (the task is made and charged, the connection breaks),
 * `after-create-5000` (the same, but answered as an internal error), `after-create-hang` (the same,
 * never answered), `html` (what a broken proxy answers).
 */
export const faultSchema = z.enum([
  '1102',
  '1301',
  '1302',
  '1303',
  '5000',
  '5001',
  'timeout',
  'after-create-reset',
  'after-create-5000',
  'after-create-hang',
  'html',
]);
export type Fault = z.infer<typeof faultSchema>;

/** What the vendor answers for each code that can be asked for. */
export const FAULT_REPLIES: Readonly<Partial<Record<Fault, { status: number; code: number; message: string }>>> = {
  '1102': { status: 429, code: 1102, message: 'Account balance not enough' },
  '1301': { status: 400, code: 1301, message: 'The request content is sensitive' },
  '1302': { status: 429, code: 1302, message: 'Request too fast' },
  '1303': { status: 429, code: 1303, message: 'parallel task over resource pack limit' },
  '5000': { status: 500, code: 5000, message: 'Internal server error' },
  '5001': { status: 503, code: 5001, message: 'Under maintenance' },
};
