import { assert, assertEquals, assertThrows } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { exists, inDirectory } from "../mount/_harness.ts";
import { canReadRepository, readRepository } from "../_repository.ts";
import { kernelTest, testIf } from "../requirements.ts";
import { type Block, findBlocks } from "./_markdown.ts";
import { runInSandbox } from "./_sandbox.ts";
import { ANNOUNCEMENT, faultOf, programsOf, scriptOf } from "./_script.ts";

/** How long the blocks of one page may take. */
const PAGE_MS = 300_000;
const missing = canReadRepository() ? "" : "needs --allow-read";

/** The pages that `deno task doc:test` runs the programs of. */
function pagesOfDocTest(): RegExp {
  const words = config.tasks["doc:test"].command.split(" ");
  const patterns = words.map((word) =>
    RegExp.escape(word).replaceAll("\\*", "[^/]*")
  );
  return new RegExp(`^(?:${patterns.join("|")})$`);
}

async function readPages(): Promise<Map<string, Block[]>> {
  const pages = (await readRepository()).filter(({ path }) =>
    path === "README.md" || /^docs\/.*\.md$/.test(path)
  );
  return new Map(
    pages.map(({ path, text }) => [path, findBlocks(path, text)]),
  );
}

const pages = missing === "" ? await readPages() : new Map<string, Block[]>();

testIf(
  missing,
  "every block of README.md and docs is run, or says why not",
  () => {
    const inDocTest = pagesOfDocTest();
    const faults: string[] = [];
    for (const [page, blocks] of pages) {
      for (const block of blocks) {
        const fault = faultOf(block, inDocTest.test(page));
        if (fault !== "") faults.push(`${page}:${block.line}: ${fault}`);
      }
    }
    assertEquals(faults, []);
    assert(pages.has("README.md") && pages.size > 5);
  },
);

for (const [page, blocks] of pages) {
  const script = scriptOf(blocks);
  if (script === "") continue;
  kernelTest(
    `the commands of ${page} work as they stand`,
    () => inDirectory((directory) => runPage(directory, script), PAGE_MS + 9e3),
    ["unshare", "bash", ...programsOf(blocks)],
  );
}

async function runPage(directory: string, script: string): Promise<void> {
  const { code, output } = await runInSandbox(directory, script, PAGE_MS);
  if (code === 0) return;
  const block = output.lastIndexOf(ANNOUNCEMENT);
  throw new Error(`Ended with ${code}:\n${output.slice(Math.max(0, block))}`);
}

/** The blocks of a page with one block. */
function blocksOf(head: string, text: string): Block[] {
  return findBlocks("a.md", `# A\n\n${head}\n${text}\n\`\`\`\n`);
}

Deno.test("findBlocks() finds blocks, their sections and their markers", () => {
  const [one, two] = findBlocks(
    "a.md",
    "<!-- a remark -->\n\n# A\n\n<!-- needs: fio -->\n\n<!-- setup:\na\nb -->\n" +
      "```sh\nx\n```\n\n## B\n\n- item\n\n  ```ts ignore\n  y\n    z\n  ```\n",
  );
  assertEquals(one!.text, "x\n");
  assertEquals([...one!.markers], [["needs", "fio"], ["setup", "a\nb"]]);
  assertEquals([one!.line, two!.line], [10, 18]);
  assertEquals(two!.text, "y\n  z\n");
  assertEquals(two!.attributes, ["ignore"]);
  assertEquals(two!.section - one!.section, 1);
  assertThrows(() => blocksOf("<!-- whatever -->\n```sh", "x"));
  assertThrows(() => blocksOf("<!-- not tested: -->\n```sh", "x"));
  assertThrows(() => findBlocks("a.md", "```sh\nx\n"));
});

Deno.test("a block that is neither run nor marked is a fault", () => {
  const fault = (head: string, inDocTest = false) =>
    faultOf(blocksOf(head, "x")[0]!, inDocTest);
  assertEquals(fault("```sh"), "");
  assertEquals(fault("```json"), "");
  assertEquals(fault("```ts", true), "");
  assertEquals(fault("<!-- not tested: it is long -->\n```ts ignore"), "");
  for (const head of ["```", "```bash", "```ts", "```sh ignore"]) {
    assert(fault(head) !== "", head);
  }
  assert(fault("```ts ignore", true) !== "");
});

kernelTest(
  "a block that does not run fails, and changes nothing",
  async () => {
    const run = (head: string, text: string) =>
      inDirectory(async (directory) => {
        const script = scriptOf(blocksOf(head, text));
        const { code } = await runInSandbox(directory, script, 30_000);
        assertEquals(code, 0);
      });
    const rejects = async (head: string, text: string) => {
      const failed = await run(head, text).then(() => false, () => true);
      assert(failed, `${head} ${text}`);
    };
    await run("```sh", "true\ntouch /etc/mqfuse-trial");
    assertEquals(await exists("/etc/mqfuse-trial"), false);
    await rejects("```sh", "false\ntrue");
    await rejects("```sh", "false | true");
    await rejects("```sh", "none");
    await rejects("<!-- fails: 3 -->\n```sh", "true");
    await run("<!-- fails: 3 -->\n```sh", "(exit 3)\ntrue");
    await rejects("<!-- check: test -e a -->\n```sh", "touch b");
    await rejects("<!-- serves: . -->\n```sh", "true");
    await run("```console", "$ echo abcd \\\n  e\na...d e\n$ false || true");
    await rejects("```console", "$ echo abcd\nb...");
    await rejects("```console", "$ false\n$ true");
    await rejects("```console", "echo abcd");
  },
  ["unshare", "bash"],
);
