/** The part of autocannon that is used here; it has no types of its own. */
declare module 'autocannon' {
  export default function autocannon(options: {
    url: string;
    headers?: Record<string, string>;
    connections: number;
    /** Seconds. */
    duration: number;
  }): Promise<{ errors: number; non2xx: number; requests: { average: number } }>;
}
