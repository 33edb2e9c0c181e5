// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Compares images that others have made with QEMU: `deno task oracle:samples
 * --help`.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { inDirectory } from "../mount/_harness.ts";
import { compareSample, type Verdict } from "./sample_image.ts";
import { QemuTools } from "./tools.ts";

const HELP = `deno task oracle:samples [OPTIONS] DIRECTORY

Exports each file in DIRECTORY as what 'info' says that it is, and compares the
mount with what 'qemu-img convert' makes of the file. Ends with status 1 if they
differ, or if only one of the two opens a file. Files of formats that only one
knows are named. Sample images to compare are in tests/qemu-iotests/sample_images
of QEMU's source: unpack them with bunzip2.

  --tree DIR  take QEMU's tools from the Debian system in DIR, which its own
              dynamic loader runs (default: this system's)
`;

/** Milliseconds that an image may take. */
const LIMIT_MS = 1_800_000;

async function main(): Promise<number> {
  const { help, tree, _: operands } = parseArgs(Deno.args, {
    boolean: ["help"],
    string: ["tree", "_"],
  });
  const [directory, more] = operands.map(String);
  if (help) {
    console.log(HELP);
    return 0;
  }
  if (directory === undefined || more !== undefined) {
    console.error("Cannot use these arguments: --help lists the options");
    return 2;
  }
  const tools = new QemuTools(tree ?? null);
  const version = await tools.version();
  const folder = await Deno.realPath(directory);
  const names = (await Array.fromAsync(Deno.readDir(folder)))
    .flatMap(({ name, isFile }) => isFile ? [name] : []).toSorted();
  let differing = 0;
  for (const name of names) {
    const verdicts: Verdict[] = [];
    await inDirectory(async (temporary) => {
      const path = `${folder}/${name}`;
      verdicts.push(await compareSample(path, temporary, tools));
    }, LIMIT_MS);
    const { agrees, source, text } = verdicts[0]!;
    if (!agrees) differing++;
    const prefix = source.slice(0, source.indexOf(":") + 1);
    console.log(`${agrees ? " " : "!"} ${prefix}${name}: ${text}`);
  }
  console.log(
    `QEMU ${version}: ${names.length} files, ${differing} differ`,
  );
  return differing === 0 ? 0 : 1;
}

Deno.exitCode = await main();
