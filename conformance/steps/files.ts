/**
 * The data of files: what was written is read, and nothing else.
 *
 * @module
 */
import { O } from "../../src/base/file_flags.ts";
import { claim, fails, same, sameBytes } from "../check.ts";
import { pattern, readAll, type Step, writeAll } from "../trial.ts";

export const FILE_STEPS: readonly Step[] = [
  {
    name: "what is written is read, in pieces of any size",
    needs: ["writing"],
    async run(trial) {
      const bytes = pattern(150_000, 3);
      const path = await trial.make("f", bytes);
      await trial.forget();
      sameBytes(await trial.contents(path), bytes, "the whole file");
      const file = await trial.program.open(path, O.RDWR);
      for (
        const [at, length] of [[0, 1], [4095, 2], [149_999, 1], [7, 65536]]
      ) {
        const part = new Uint8Array(length!);
        same(await readAll(file, part, at!), length!, `bytes read at ${at}`);
        sameBytes(part, bytes.slice(at, at! + length!), `bytes at ${at}`);
      }
      const beyond = new Uint8Array(10);
      same(await file.pread(beyond, 150_000), 0, "bytes read at the end");
      same(await file.pread(beyond, 1 << 20), 0, "bytes read beyond the end");
      same(await readAll(file, beyond, 149_995), 5, "bytes read up to the end");
      await file.fsync();
      await file.close();
    },
  },
  {
    name: "files open twice, and the descriptors see each other's writes",
    needs: ["writing"],
    async run(trial) {
      const path = await trial.make("f", pattern(100, 4));
      const reader = await trial.program.open(path, O.RDONLY);
      const writer = await trial.program.open(path, O.WRONLY);
      await writeAll(writer, pattern(50, 5), 80);
      const found = new Uint8Array(200);
      same(await readAll(reader, found, 0), 130, "size through the other");
      const expected = pattern(130, 4);
      expected.set(pattern(50, 5), 80);
      sameBytes(found.subarray(0, 130), expected, "bytes through the other");
      await fails(reader.pwrite(found, 0), "EBADF", "write to a reader");
      await fails(writer.pread(found, 0), "EBADF", "read from a writer");
      await reader.close();
      await writer.close();
    },
  },
  {
    name: "truncate(2) cuts, extends by zeroes, and shows no old bytes",
    needs: ["writing"],
    async run(trial) {
      const { program } = trial;
      const path = await trial.make("f", pattern(10_000, 6));
      await program.truncate(path, 5000);
      await program.truncate(path, 9000);
      const expected = new Uint8Array(9000);
      expected.set(pattern(5000, 6));
      await trial.forget();
      sameBytes(await trial.contents(path), expected, "cut and extended");
      const file = await program.open(path, O.RDWR);
      await file.ftruncate(0);
      await writeAll(file, pattern(3, 7), 100);
      same((await file.fstat()).size, 103, "size after ftruncate and write");
      await file.close();
      const holes = new Uint8Array(103);
      holes.set(pattern(3, 7), 100);
      sameBytes(await trial.contents(path), holes, "after ftruncate");
      const directory = program.truncate(trial.directory, 0);
      await fails(directory, "EISDIR", "truncate of a directory");
    },
  },
  {
    name: "a file with a hole reads as zeroes there, up to the largest size",
    needs: ["writing"],
    async run(trial) {
      const { sizeMax } = trial.rules;
      const end = pattern(100, 8);
      const path = await trial.make("f");
      const file = await trial.program.open(path, O.RDWR);
      await writeAll(file, end, sizeMax - 100);
      await file.close();
      await trial.forget();
      same((await trial.program.stat(path)).size, sizeMax, "size");
      const again = await trial.program.open(path);
      const found = new Uint8Array(4096).fill(1);
      const at = Math.floor(sizeMax / 2);
      same(await readAll(again, found, at), 4096, "bytes read in the hole");
      claim(found.every((byte) => byte === 0), "a hole is not zeroes");
      same(await readAll(again, found, sizeMax - 100), 100, "bytes at the end");
      sameBytes(found.subarray(0, 100), end, "the end");
      await again.close();
    },
  },
  {
    name: "a file without a name is used until it is closed",
    needs: ["writing", "unlinked files"],
    async run(trial) {
      const { program } = trial;
      const bytes = pattern(5000, 9);
      const path = await trial.make("f", bytes);
      const file = await program.open(path, O.RDWR);
      const { ino } = await file.fstat();
      await program.unlink(path);
      await trial.make("f", pattern(10, 10));
      await trial.forget();
      const found = new Uint8Array(6000);
      same(await readAll(file, found, 0), 5000, "size without a name");
      sameBytes(found.subarray(0, 5000), bytes, "bytes without a name");
      await writeAll(file, pattern(10, 11), 5000);
      await file.ftruncate(5005);
      const status = await file.fstat();
      same(status.size, 5005, "size after a write and ftruncate");
      same(status.links, 0, "links of a file without a name");
      same(status.ino, ino, "inode number of a file without a name");
      await file.close();
      const other = await trial.contents(path);
      sameBytes(other, pattern(10, 10), "the new file of the old name");
    },
  },
  {
    name: "O_APPEND writes at the end",
    needs: ["writing"],
    async run(trial) {
      const path = await trial.make("f", pattern(100, 12));
      const file = await trial.program.open(path, O.WRONLY | O.APPEND);
      await writeAll(file, pattern(20, 13), 0);
      await file.close();
      const expected = new Uint8Array(120);
      expected.set(pattern(100, 12));
      expected.set(pattern(20, 13), 100);
      sameBytes(await trial.contents(path), expected, "after O_APPEND");
    },
  },
];
