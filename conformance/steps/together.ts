/**
 * Calls that are made at the same time.
 *
 * @module
 */
import { O } from "../../src/base/file_flags.ts";
import { same, sameBytes, sameItems } from "../check.ts";
import { pattern, type Step, writeAll } from "../trial.ts";

const CALLS = 20;
const PIECE = 3000;

export const TOGETHER_STEPS: readonly Step[] = [
  {
    name: "of several that create one name with O_EXCL, one succeeds",
    needs: ["writing"],
    async run(trial) {
      const path = trial.at("f");
      const flags = O.CREAT | O.EXCL | O.RDWR;
      const calls = Array.from(
        { length: CALLS },
        () => trial.program.open(path, flags).then((file) => file.close()),
      );
      const results = await Promise.allSettled(calls);
      const won = results.filter(({ status }) => status === "fulfilled");
      same(won.length, 1, "calls that created the name");
      sameItems(await trial.names(trial.directory), ["f"], "list");
    },
  },
  {
    name: "names that are made, moved and removed at the same time",
    needs: ["writing"],
    async run(trial) {
      const { program } = trial;
      const one = async (at: number) => {
        await trial.makeDirectory(`d${at}`);
        const path = await trial.make(`d${at}/f`, pattern(10, at));
        await program.rename(path, trial.at(`g${at}`));
        await program.rmdir(trial.at(`d${at}`));
      };
      const calls = Array.from({ length: CALLS }, (_, at) => one(at));
      await Promise.all(calls);
      const expected = calls.map((_, at) => `g${at}`);
      sameItems(await trial.names(trial.directory), expected, "list");
      for (const at of calls.keys()) {
        const found = await trial.contents(trial.at(`g${at}`));
        sameBytes(found, pattern(10, at), `contents of g${at}`);
      }
    },
  },
  {
    name: "pieces of a file that are written at the same time",
    needs: ["writing"],
    async run(trial) {
      const path = await trial.make("f");
      const write = async (at: number) => {
        const file = await trial.program.open(path, O.WRONLY);
        await writeAll(file, pattern(PIECE, at), at * PIECE);
        await file.close();
      };
      await Promise.all(Array.from({ length: CALLS }, (_, at) => write(at)));
      await trial.forget();
      const found = await trial.contents(path);
      same(found.length, CALLS * PIECE, "size");
      for (let at = 0; at < CALLS; at++) {
        const piece = found.slice(at * PIECE, (at + 1) * PIECE);
        sameBytes(piece, pattern(PIECE, at), `piece ${at}`);
      }
    },
  },
];
