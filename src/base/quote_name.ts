/** A name that may hold anything, for a terminal: quoted unless it is plain. */
export function quoteName(name: string): string {
  return /^[\x21-\x7e]+$/.test(name) ? name : JSON.stringify(name);
}
