/** Requests as the form has them, before they are sent. All pure. */

/** Files in Base64 say nothing about the price. */
const LONGEST = 10_000;

/** What to ask the price of: what is still empty as in the example, files left out. */
export function forEstimate(
  request: Readonly<Record<string, unknown>>,
  example: Readonly<Record<string, unknown>>,
): unknown {
  const whole = { ...example, ...request };
  return JSON.parse(
    JSON.stringify(whole, (_name, value: unknown) =>
      value instanceof File || (typeof value === 'string' && (value.length > LONGEST || value.startsWith('upload:')))
        ? 'https://example.com/file'
        : value,
    ),
  );
}

/** The value that a dotted path of the service leads to. */
export function valueAt(request: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
    request,
  );
}
