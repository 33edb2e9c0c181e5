/**
 * Hard links, symbolic links, special files.
 *
 * @module
 */
import { O, S_IF } from "../../src/base/file_flags.ts";
import { fails, same, sameBytes } from "../check.ts";
import { pattern, type Step, writeAll } from "../trial.ts";

export const LINK_STEPS: readonly Step[] = [
  {
    name: "hard links are one file",
    needs: ["writing", "hard links"],
    async run(trial) {
      const { program } = trial;
      const first = await trial.make("first", pattern(10, 20));
      await trial.makeDirectory("d");
      const second = trial.at("d/second");
      await program.link(first, second);
      await trial.forget();
      const [one, two] = [
        await program.stat(first),
        await program.stat(second),
      ];
      same(two.ino, one.ino, "inode number of the second name");
      same(one.links, 2, "links of the first name");
      same(two.links, 2, "links of the second name");
      await fails(program.link(first, second), "EEXIST", "link again");
      const directory = program.link(trial.at("d"), trial.at("e"));
      await fails(directory, ["EPERM", "EACCES"], "link of a directory");
      const file = await program.open(second, O.RDWR);
      await writeAll(file, pattern(10, 21), 5);
      await file.close();
      const expected = new Uint8Array(15);
      expected.set(pattern(5, 20));
      expected.set(pattern(10, 21), 5);
      sameBytes(await trial.contents(first), expected, "by the first name");
      await program.unlink(first);
      sameBytes(await trial.contents(second), expected, "by the other name");
      same((await program.stat(second)).links, 1, "links that are left");
    },
  },
  {
    name: "symbolic links keep their target and are followed",
    needs: ["writing", "symbolic links"],
    async run(trial) {
      const { program } = trial;
      const file = await trial.make("f", pattern(30, 22));
      const link = trial.at("link");
      await program.symlink("f", link);
      await trial.forget();
      same(await program.readlink(link), "f", "target");
      const status = await program.lstat(link);
      same(status.mode & S_IF.MT, S_IF.LNK, "type of a link");
      same(status.size, 1, "size of a link: bytes of its target");
      const followed = await program.stat(link);
      same(followed.ino, (await program.stat(file)).ino, "inode that it names");
      sameBytes(await trial.contents(link), pattern(30, 22), "by the link");
      await fails(program.symlink("g", link), "EEXIST", "symlink again");
      await fails(program.readlink(file), "EINVAL", "readlink of a file");
      await program.unlink(link);
      same((await program.stat(file)).size, 30, "size after the link is gone");
    },
  },
  {
    name: "targets of symbolic links may be missing, circular, long, any bytes",
    needs: ["writing", "symbolic links"],
    async run(trial) {
      const { program, rules } = trial;
      await program.symlink("nothing", trial.at("dangling"));
      await fails(
        program.stat(trial.at("dangling")),
        "ENOENT",
        "dangling link",
      );
      await program.symlink("loop", trial.at("loop"));
      await fails(program.stat(trial.at("loop")), "ELOOP", "circular link");
      const targets = [
        "x".repeat(rules.targetMax),
        "\u00e9\u{1f600} \n",
        "../../..",
      ];
      if (!rules.lacks.has("names that are not UTF-8")) {
        targets.push("\udcff/a");
      }
      for (const [at, target] of targets.entries()) {
        const path = trial.at(`t${at}`);
        await program.symlink(target, path);
        await trial.forget();
        same(await program.readlink(path), target, "target");
        const { size } = await program.lstat(path);
        const bytes = target === "\udcff/a" ? 3 : undefined;
        const length = bytes ?? new TextEncoder().encode(target).length;
        same(size, length, "size of a link: bytes of its target");
      }
    },
  },
  {
    name: "FIFOs and sockets have their type",
    needs: ["writing", "special files"],
    async run(trial) {
      const { program } = trial;
      for (const type of [S_IF.FIFO, S_IF.SOCK, S_IF.REG]) {
        const path = trial.at(`type${type}`);
        await program.mknod(path, type | 0o644);
        await trial.forget();
        const status = await program.lstat(path);
        same(status.mode & S_IF.MT, type, "type");
        same(status.links, 1, "links");
        await fails(program.mknod(path, type | 0o644), "EEXIST", "mknod again");
        await program.unlink(path);
      }
    },
  },
];
