/** The part of autocannon that is used here; it has no types of its own. */
declare module 'autocannon' {
  export default function autocannon(options: {
    url: string;
    method?: 'POST';
    headers?: Record<string, string>;
    body?: string;
    connections: number;
    /** Seconds. */
    duration?: number;
    /** Requests, instead of seconds. */
    amount?: number;
  }): Promise<{ errors: number; non2xx: number; requests: { average: number }; latency: { p99: number } }>;
}
