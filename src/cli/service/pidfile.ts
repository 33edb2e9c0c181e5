import { UserError } from "../../base/user_error.ts";
import {
  readText,
  removeFile,
  writeTextFile,
  type WrittenFile,
} from "../../linux/syscall/text_file.ts";
import { pathKind } from "../../linux/syscall/paths.ts";

/** A file with this process's id, for scripts and service managers. */
export class Pidfile {
  readonly #path: string;
  #written: WrittenFile | null = null;

  /**
   * Checks the path; writes nothing yet.
   *
   * @param path The path of the file.
   * @throws {UserError} If the path exists and must not be replaced.
   */
  constructor(path: string) {
    this.#path = path;
    findStale(path);
  }

  /**
   * Writes the file; replaces one whose process has ended.
   *
   * @throws {UserError} If it cannot be written, or has been made meanwhile.
   */
  write(): void {
    if (findStale(this.#path)) removeFile(this.#path);
    this.#written = writeTextFile(this.#path, `${Deno.pid}\n`, {
      exclusive: true,
    });
  }

  /** Removes the file, unless it has been replaced. */
  remove(): void {
    this.#written?.remove();
    this.#written = null;
  }
}

/** Whether a stale pidfile exists there; throws if anything else does. */
function findStale(path: string): boolean {
  const kind = pathKind(path);
  if (kind === "missing") return false;
  const what = `Cannot use ${path} as the pidfile:`;
  if (kind !== "file") {
    throw new UserError(
      `${what} it exists and is not a plain file; choose another`,
    );
  }
  const text = readText(path).trim();
  if (!/^\d*$/.test(text)) {
    throw new UserError(
      `${what} it exists and holds no process id; remove it or choose another`,
    );
  }
  // In a restarted container the process often gets the same id again.
  const stale = text === "" || Number(text) === Deno.pid ||
    pathKind(`/proc/${text}`) === "missing";
  if (stale) return true;
  throw new UserError(
    `${what} it names process ${text}, which is running; end that process or choose another file`,
  );
}
