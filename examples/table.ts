// The rows of a database as files, which other programs may change meanwhile:
// deno run --allow-ffi --allow-read --allow-write examples/table.ts FILE DIRECTORY
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import * as mqfuse from "@mqfuse/mqfuse/fs";
import { Errno, RENAME, S_IF } from "@mqfuse/mqfuse/protocol";

const SIZE_MAX = 1024 * 1024;
const SCHEMA = `CREATE TABLE IF NOT EXISTS files (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
  changed INTEGER NOT NULL DEFAULT (unixepoch()),
  content BLOB NOT NULL DEFAULT x'')`;

/** A row by its id; the directory of all rows has 0. */
type Row = { readonly id: number };

/** The table `files` of a database as a directory of plain files. */
export class TableFs implements mqfuse.FileSystem<Row, void> {
  readonly root = { id: 0 };
  readonly #database: DatabaseSync;
  /** The rows in use: always the same object for the same row. */
  readonly #rows = new Map<number, Row>();

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: 5000 });
    this.#sql(SCHEMA);
  }

  destroy() {
    this.#sql("DELETE FROM files WHERE name IS NULL");
    this.#database.close();
  }

  getattr(row: Row): mqfuse.Attr {
    if (row === this.root) return { mode: S_IF.DIR | 0o755, nlink: 2 };
    const columns = "changed * 1000, octet_length(content), name IS NOT NULL";
    const values = this.#valuesOf(row, columns).map(Number);
    const [ms = 0, size = 0, nlink = 0] = values;
    return { mode: S_IF.REG | 0o644, mtime: new Date(ms), size, nlink };
  }

  lookup(_directory: Row, name: string): Row | null {
    const [row] = this.#sql("SELECT id FROM files WHERE name = ?", name);
    return row === undefined ? null : this.#rowOf(Number(row.id));
  }

  *readdir(): Generator<[string, Row]> {
    // Others may have stored what is no name of a file.
    const sql = "SELECT id, name FROM files WHERE name GLOB '?*'";
    for (const { id, name } of this.#sql(`${sql} AND NOT instr(name, '/')`)) {
      yield [String(name), this.#rowOf(Number(id))];
    }
  }

  create(_directory: Row, name: string): Row {
    if (!name.isWellFormed()) throw new Errno("EILSEQ");
    const sql = "INSERT OR IGNORE INTO files (name) VALUES (?) RETURNING id";
    const [row] = this.#sql(sql, name);
    if (row === undefined) throw new Errno("EEXIST");
    return this.#rowOf(Number(row.id));
  }

  setattr(row: Row, { mode, uid, gid, size, mtime }: mqfuse.Changes) {
    // Rows have no modes and no owners.
    if ((mode ?? uid ?? gid) !== undefined) throw new Errno("EPERM");
    if (size !== undefined) this.#change(row, size);
    if (mtime === undefined) return;
    const sql = "UPDATE files SET changed = ? WHERE id = ?";
    this.#sql(sql, mtime / 10n ** 9n, row.id);
  }

  /** The row stays as long as programs have the file open. */
  unlink(_directory: Row, name: string) {
    this.#sql("UPDATE files SET name = NULL WHERE name = ?", name);
  }

  forget({ id }: Row) {
    this.#rows.delete(id);
    this.#sql("DELETE FROM files WHERE id = ? AND name IS NULL", id);
  }

  /** A program that has a replaced file open gets ESTALE. */
  rename(_from: Row, name: string, _to: Row, newName: string, flags: number) {
    if (flags & ~RENAME.NOREPLACE) throw new Errno("EINVAL");
    if (!newName.isWellFormed()) throw new Errno("EILSEQ");
    const sql = "UPDATE OR REPLACE files SET name = ? WHERE name = ?";
    this.#sql(sql, newName, name);
  }

  read(row: Row, into: Uint8Array, offset: number): Uint8Array {
    return this.#content(row).subarray(offset, offset + into.length);
  }

  write(row: Row, data: Uint8Array, offset: number) {
    const size = Math.max(this.#content(row).length, offset + data.length);
    this.#change(row, size, data, offset);
  }

  #content = (row: Row) =>
    this.#valuesOf(row, "CAST(content AS BLOB)")[0] as Uint8Array;

  #change(row: Row, size: number, data?: Uint8Array, offset = 0) {
    if (size > SIZE_MAX) throw new Errno("EFBIG");
    const content = new Uint8Array(size);
    content.set(this.#content(row).subarray(0, size));
    content.set(data ?? [], offset);
    const sql = "UPDATE files SET content = ?, changed = unixepoch()";
    this.#sql(`${sql} WHERE id = ?`, content, row.id);
  }

  #valuesOf({ id }: Row, columns: string) {
    const [row] = this.#sql(`SELECT ${columns} FROM files WHERE id = ?`, id);
    // Another program may have deleted it.
    if (row === undefined) throw new Errno("ESTALE");
    return Object.values(row);
  }

  #rowOf = (id: number) => this.#rows.getOrInsert(id, { id });

  #sql = (sql: string, ...values: SQLInputValue[]) =>
    this.#database.prepare(sql).all(...values);
}

if (import.meta.main) {
  const [database = "", directory = ""] = Deno.args;
  const options = { attrSeconds: 0, entrySeconds: 0, signals: true };
  await mqfuse.mountFileSystem(new TableFs(database), directory, options);
  // deno-lint-ignore no-console
  console.log("Showing the table files; press Ctrl-C to stop");
}
