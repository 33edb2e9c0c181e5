import type { HttpField } from "./request_text.ts";
import { refusal } from "./secret_file.ts";

/** Fields that requests have anyway, or that would change what they mean. */
const OWN: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "expect",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "range",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Parses a file of fields for requests: `Name: value` in each line; empty lines
 * and those that begin with # do not count.
 *
 * @param path Its path in errors, which quote no value.
 * @throws {UserError} If it has anything else.
 */
export function parseHeadersFile(text: string, path: string): HttpField[] {
  const fields: HttpField[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const refuse = (why: string) =>
      refusal(path, "http-headers-file", `line ${i + 1} ${why}`);
    const match =
      /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/
        .exec(line);
    if (match === null) throw refuse("is not of the form Name: value");
    const [, name, value] = match;
    if (OWN.has(name!.toLowerCase())) {
      throw refuse(`gives ${name}, which every request has for itself`);
    }
    fields.push([name!, value!]);
  }
  return fields;
}
