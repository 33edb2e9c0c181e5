import { UserError } from "../base/user_error.ts";
import { parseSize } from "./size.ts";

/** A disk that needs only a size, such as `memory:1G`. Plain data. */
export interface SizedDisk {
  /** Its name in messages: the source as the user wrote it. */
  readonly name: string;
  /** Its size in bytes. */
  readonly size: number;
}

/**
 * Parses a source that consists of a prefix and a size.
 *
 * @param rest The size.
 * @param text All of the source.
 * @throws {UserError} If it is not a size, or 0.
 */
export function parseSizedDisk(rest: string, text: string): SizedDisk {
  const size = parseSize(rest);
  if (size > 0) return { name: text, size };
  const prefix = text.slice(0, text.length - rest.length);
  throw new UserError(
    `Cannot make an empty disk "${text}": give it a size, such as ${prefix}1G`,
  );
}
