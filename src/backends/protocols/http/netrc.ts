/**
 * Users and passwords in the form of `.netrc`, as curl and ftp(1) read it.
 *
 * @module
 */
import { refusal } from "./secret_file.ts";
import type { HttpField } from "./request_text.ts";

/** A user and a password. */
export interface Login {
  readonly login: string;
  readonly password: string;
}

/**
 * Finds what a file says of a host: its own entry, or else the default.
 *
 * @param path The file's path in errors, which quote nothing of it.
 * @returns `null` if the file says nothing of it.
 * @throws {UserError} If the file cannot be understood.
 */
export function findLogin(
  text: string,
  host: string,
  path: string,
): Login | null {
  const refuse = (why: string) => refusal(path, "netrc", why);
  // A macro ends with an empty line.
  const words = text.replace(/^macdef\b[^]*?(?:\n\n|(?![^]))/gm, "")
    .replace(/^#.*$/gm, "").match(/\S+/g) ?? [];
  const entries = new Map<string | null, Partial<Login>>();
  let entry: { login?: string; password?: string } | null = null;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === "default") {
      entries.set(null, entry = {});
      continue;
    }
    const value = words[++i];
    if (value === undefined) throw refuse("its last word has no value");
    if (word === "machine") {
      entry = {};
      if (!entries.has(value)) entries.set(value, entry);
    } else if (entry === null) {
      throw refuse("it does not begin with machine or default");
    } else if (word === "login" || word === "password") {
      entry[word] = value;
    } else if (word !== "account") {
      throw refuse("it has a word that is none of machine, login, password");
    }
  }
  const found = entries.get(host) ?? entries.get(null);
  if (found === undefined) return null;
  const { login, password } = found;
  if (login === undefined || password === undefined) {
    throw refuse(`the entry for ${host} lacks a login or a password`);
  }
  if (login.includes(":")) throw refuse("a login has a colon");
  return { login, password };
}

/** The field that gives a login: RFC 7617. */
export function basicField(
  name: "Authorization" | "Proxy-Authorization",
  { login, password }: Login,
): HttpField {
  const bytes = new TextEncoder().encode(`${login}:${password}`);
  return [name, `Basic ${bytes.toBase64()}`];
}
