/**
 * Attributes: modes, owners, times, inode numbers.
 *
 * @module
 */
import { O, S_IF } from "../../src/base/file_flags.ts";
import { NS_PER_S as SECOND } from "../../src/base/timespec.ts";
import { claim, same } from "../check.ts";
import { pattern, type Step, type Trial, writeAll } from "../trial.ts";

export const ATTRIBUTE_STEPS: readonly Step[] = [
  {
    name: "new files and directories have their type, mode and link count",
    needs: ["writing"],
    async run(trial) {
      const { program, rules } = trial;
      const path = trial.at("f");
      const file = await program.open(path, O.CREAT | O.WRONLY, 0o640);
      await file.close();
      await program.mkdir(trial.at("d"), 0o750);
      await trial.forget();
      const status = await program.stat(path);
      const directory = await program.stat(trial.at("d"));
      same(status.mode & S_IF.MT, S_IF.REG, "type of a file");
      same(directory.mode & S_IF.MT, S_IF.DIR, "type of a directory");
      same(status.links, 1, "links of a file");
      claim(directory.links >= 1, "a directory has no links");
      claim(status.ino !== directory.ino, "two files have one inode number");
      if (rules.lacks.has("permissions")) return;
      same(status.mode & 0o7777, 0o640, "permissions of a file");
      same(directory.mode & 0o777, 0o750, "permissions of a directory");
    },
  },
  {
    name: "chmod(2) sets all twelve bits and keeps the type",
    needs: ["writing", "permissions"],
    async run(trial) {
      const { program } = trial;
      const paths = [await trial.make("f"), await trial.makeDirectory("d")];
      for (const path of paths) {
        const { mode } = await program.stat(path);
        for (const bits of [0o400, 0o7777, 0o1644, 0o755]) {
          await program.chmod(path, bits);
          await trial.forget();
          const found = (await program.stat(path)).mode;
          same(found & 0o7777, bits, "permissions after chmod");
          same(found & S_IF.MT, mode & S_IF.MT, "type after chmod");
        }
      }
    },
  },
  {
    name: "chown(2) sets user and group, each by itself",
    needs: ["writing", "ownership"],
    async run(trial) {
      const { program } = trial;
      const path = await trial.make("f");
      await program.chown(path, 1234, 2_000_000_000);
      await program.chown(path, -1, 77);
      await trial.forget();
      let status = await program.stat(path);
      same(status.uid, 1234, "user");
      same(status.gid, 77, "group");
      await program.chown(path, 0, -1);
      status = await program.stat(path);
      same(status.uid, 0, "user set again");
      same(status.gid, 77, "group that is kept");
    },
  },
  {
    name: "utimensat(2) sets times: before 1970, with nanoseconds, one alone",
    needs: ["writing", "times"],
    async run(trial) {
      const { program, rules } = trial;
      const path = await trial.make("f");
      const wanted = [0n, 1n, 1_700_000_000n * SECOND + 123_456_789n];
      wanted.push(4_000_000_000n * SECOND, -1n, -SECOND, -5n * SECOND + 7n);
      for (const time of wanted) {
        if (time < rules.earliest) continue;
        const mtime = granular(time, trial);
        await program.utimens(path, mtime, null);
        await program.utimens(path, null, mtime);
        await trial.forget();
        const status = await program.stat(path);
        same(status.atime, mtime, "atime");
        same(status.mtime, mtime, "mtime");
      }
      await program.utimens(path, 0n, "now");
      const { atime, mtime } = await program.stat(path);
      same(atime, 0n, "atime");
      claim(mtime > 1_500_000_000n * SECOND, `mtime of now is ${mtime}`);
    },
  },
  {
    name: "writes, truncations and new names change times",
    needs: ["writing", "times"],
    async run(trial) {
      const { program } = trial;
      const path = await trial.make("f", pattern(10, 30));
      const { mtime: start } = await program.stat(path);
      const old = granular(1000n * SECOND, trial);
      const changed = async (what: string, act: () => Promise<void>) => {
        await program.utimens(path, old, old);
        await act();
        await trial.forget();
        const { mtime } = await program.stat(path);
        claim(mtime >= start, `mtime stays ${mtime} after ${what}`);
      };
      await changed("write", async () => {
        const file = await program.open(path, O.WRONLY);
        await writeAll(file, pattern(10, 31), 0);
        await file.close();
      });
      await changed("truncate", () => program.truncate(path, 5));
      await changed("O_TRUNC", async () => {
        await (await program.open(path, O.WRONLY | O.TRUNC)).close();
      });
      const { directory } = trial;
      await program.utimens(directory, old, old);
      await trial.make("g");
      const { mtime } = await program.stat(directory);
      claim(mtime >= start, "mtime of a directory stays when a name is added");
      await program.utimens(directory, old, old);
      await program.unlink(trial.at("g"));
      const after = await program.stat(directory);
      claim(after.mtime >= start, "mtime of a directory stays after unlink");
    },
  },
  {
    name: "stat(2) and fstat(2) agree, and inode numbers stay",
    needs: ["writing"],
    async run(trial) {
      const { program } = trial;
      const path = await trial.make("f", pattern(77, 32));
      const before = await program.stat(path);
      const file = await program.open(path);
      const open = await file.fstat();
      await file.close();
      await trial.forget();
      const after = await program.stat(path);
      for (const key of ["ino", "mode", "size", "links", "mtime"] as const) {
        same<unknown>(open[key], before[key], `${key} of fstat`);
        same<unknown>(after[key], before[key], `${key} later`);
      }
    },
  },
];

/** A time that the file system can keep. */
function granular(time: bigint, { rules }: Trial): bigint {
  return time - time % rules.timeGranularity;
}
