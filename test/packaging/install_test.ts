import { assertEquals, assertMatch } from "@std/assert";
import { inDirectory, must, run, within } from "../mount/_harness.ts";
import { kernelTest } from "../requirements.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const LIMIT_MS = 120_000;

kernelTest(
  "deno install makes a command of the bundled program, which needs no network",
  () =>
    inDirectory(async (directory) => {
      const file = `${directory}/mqfuse.js`;
      const bundle = ["bundle", "--quiet", "--platform", "deno", "-o", file];
      await must(Deno.execPath(), ...bundle, `${ROOT}main.ts`);
      const [home, empty] = [`${directory}/home`, `${directory}/empty`];
      for (const each of [home, empty]) await Deno.mkdir(each);
      // The command calls "deno".
      await Deno.symlink(Deno.execPath(), `${directory}/deno`);
      const paths = [`PATH=${directory}:/usr/bin:/bin`, `HOME=${home}`];
      const env = ["-i", `--chdir=${empty}`, ...paths];
      const inEmpty = (...command: string[]) =>
        within(
          run("env", ...env, "unshare", "--net", ...command),
          command.join(" "),
          LIMIT_MS,
        );
      const options = ["--global", "--allow-ffi", "--name", "mqfuse"];
      const installed = await inEmpty("deno", "install", ...options, file);
      assertEquals(installed.code, 0, installed.stderr);
      const demo = await inEmpty(`${home}/.deno/bin/mqfuse`, "demo");
      assertEquals(demo.code, 0, demo.stderr);
      assertMatch(
        demo.stdout + demo.stderr,
        /every byte read was the one written last/,
      );
    }, LIMIT_MS * 2),
  ["unshare", "env"],
);
