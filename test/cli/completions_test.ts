import { assert, assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { describeCommands } from "../../docs/_commands_doc.ts";
import written from "../../docs/COMMANDS.md" with { type: "text" };
import { COMMON_OPTIONS } from "../../src/cli/command.ts";
import { commandList } from "../../src/cli/command_list.ts";
import { optionRow } from "../../src/cli/arguments/options.ts";
import { bashCompletion } from "../../src/cli/shell/bash_completion.ts";
import { fishCompletion } from "../../src/cli/shell/fish_completion.ts";
import { manualPage } from "../../src/cli/shell/manual.ts";
import { zshCompletion } from "../../src/cli/shell/zsh_completion.ts";
import { inDirectory, must, run } from "../mount/_harness.ts";
import { kernelTest, missingPermission, testIf } from "../requirements.ts";
import { missingProgram } from "../requirements.ts";

const COMMANDS = commandList("1.2.3");
const TYPED = new URL("_typed.py", import.meta.url).pathname;

/** How the script of each shell is loaded, in a shell that can be typed in. */
const SHELLS = {
  bash: {
    script: bashCompletion(COMMANDS),
    start: ["bash", "--noprofile", "--rcfile", "rc", "-i"],
    load: "PS1='$ '; source ./script",
  },
  zsh: {
    script: zshCompletion(COMMANDS),
    // "-d" leaves out the files of the machine.
    start: ["zsh", "-d", "-i"],
    load: "autoload -U compinit; compinit -D -u; source ./script",
  },
} as const;

/** What is typed, and the arguments that it has to become. */
const LINES = {
  "mqfuse exp\t--queue-m\t64M dis\tmnt\t":
    "<export><--queue-memory=64M><disk.img><mnt.img>",
  "mqfuse export --no-l\t--cache=wri\tqcow2:di\tmnt\t":
    "<export><--no-lock><--cache=writeback><qcow2:disk.img><mnt.img>",
  "mqfuse ctl dis\tmet\t": "<ctl><disk.img><metrics>",
  "mqfuse export --uid ro\tdis\t": "<export><--uid><root><disk.img>",
  "mqfuse completions z\t": "<completions><zsh>",
} as const;

for (const [name, { script, start, load }] of Object.entries(SHELLS)) {
  kernelTest(
    `${name} completes what is typed`,
    () =>
      inDirectory(async (directory) => {
        await Deno.writeTextFile(`${directory}/script`, script);
        for (const file of ["disk.img", "mnt.img"]) {
          await Deno.writeTextFile(`${directory}/${file}`, "");
        }
        const print = `mqfuse() { printf '<%s>' "$@"; echo .; }`;
        const rc = `cd ${directory}; ${load}; ${print}; echo ready\n`;
        for (const file of ["rc", ".zshrc"]) {
          await Deno.writeTextFile(`${directory}/${file}`, rc);
        }
        const results = await Promise.all(
          Object.keys(LINES).map(async (line) => {
            const there = [`--chdir=${directory}`, `ZDOTDIR=${directory}`];
            const typing = ["python3", TYPED, line, ...start];
            return [line, await must("env", ...there, ...typing)];
          }),
        );
        assertEquals(Object.fromEntries(results), { ...LINES });
      }, 120_000),
    ["python3", name],
  );
}

kernelTest(
  "fish completes what is typed",
  () =>
    inDirectory(async (directory) => {
      await Deno.writeTextFile(
        `${directory}/script`,
        fishCompletion(COMMANDS),
      );
      await Deno.writeTextFile(`${directory}/disk.img`, "");
      const complete = async (line: string) => {
        const script = `cd ${directory}; source script; complete -C "${line}"`;
        const text = await must("fish", "--no-config", "-c", script);
        return text.split("\n").map((each) => each.split("\t")[0]);
      };
      assertEquals(await complete("mqfuse exp"), ["export"]);
      assertEquals(await complete("mqfuse export --queue-m"), [
        "--queue-memory",
      ]);
      assertEquals(await complete("mqfuse export --cache=w"), [
        "--cache=writeback",
      ]);
      assertEquals(await complete("mqfuse export dis"), ["disk.img"]);
      assert((await complete("mqfuse ctl disk.img m")).includes("metrics"));
      assertEquals(await complete("mqfuse sim dis"), [""]);
    }),
  ["fish"],
);

Deno.test("completions and the manual have every command and option", () => {
  const manual = manualPage(COMMANDS, "1.2.3").replaceAll("\\-", "-");
  const texts = { ...SHELLS, fish: { script: fishCompletion(COMMANDS) } };
  for (const command of COMMANDS) {
    assert(manual.includes(`.SS mqfuse ${command.name}`), command.name);
    const section = manual.split(".SS ").find((text) =>
      text.startsWith(`mqfuse ${command.name}\n`)
    )!;
    for (const name of [...command.options, ...COMMON_OPTIONS]) {
      assert(section.includes(`--${name}`), `${command.name} ${name}`);
      for (const [shell, { script }] of Object.entries(texts)) {
        const option = shell === "fish" ? `-l ${name}` : `--${name}`;
        const lines = script.split("\n").filter((line) =>
          line.includes(command.name) || shell === "zsh"
        );
        const has = lines.some((line) => line.includes(option));
        assert(has, `${shell} ${command.name} ${name}`);
      }
    }
  }
  assertMatch(manual, /mqfuse 1\.2\.3/);
  assert(optionRow("help").letter === "h" && manual.includes("fB-h"));
});

testIf(
  missingPermission("run", "write", "env", "read") || missingProgram("mandoc"),
  "the manual page has no fault that mandoc(1) finds",
  async () => {
    const file = await Deno.makeTempFile({ suffix: ".1" });
    await Deno.writeTextFile(file, manualPage(COMMANDS, "1.2.3"));
    const { stdout } = await run("mandoc", "-T", "lint", "-W", "warning", file);
    await Deno.remove(file);
    // Without a date, the page is the same whenever it is made.
    const faults = stdout.split("\n").filter((line) =>
      line !== "" && !line.includes("missing date")
    );
    assertEquals(faults, []);
  },
);

Deno.test("docs/COMMANDS.md is what `deno task doc:commands` writes", () => {
  assertEquals(written, describeCommands(commandList(config.version)));
});
