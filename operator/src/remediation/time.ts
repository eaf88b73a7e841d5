/** Times in the status are RFC 3339, inside they are milliseconds since the epoch. */
export const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
export const at = (time: string): number => new Date(time).getTime();
