/** A command that sends the request; the key is left to the reader's environment. Pure. */
export function curlCommand(origin: string, path: string, body: unknown): string {
  return [
    `curl -s ${quoted(origin + path)}`,
    `-H "Authorization: Bearer $KLING_KEY"`,
    `-H 'Content-Type: application/json'`,
    `-d ${quoted(JSON.stringify(body, shortened))}`,
  ].join(' \\\n  ');
}

/** Files in Base64 would not fit into a command line. */
const LONGEST = 10_000;
const shortened = (_name: string, value: unknown): unknown => {
  if (value instanceof File) return `<${value.name}, not uploaded>`;
  return typeof value === 'string' && value.length > LONGEST ? `<${value.length} characters of Base64>` : value;
};

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
