/**
 * Bundles the libraries that read archives into the sources, so that a program
 * that uses them loads nothing from a registry. Run it by
 * `deno task bundle:libraries` after changing a version.
 *
 * @module
 */
import { LIBRARIES, type Library } from "./_libraries.ts";

const ROOT = new URL("../../", import.meta.url);
const directory = await Deno.makeTempDir();
try {
  const dependencies = LIBRARIES.map(({ name, version }) => [name, version]);
  await Deno.writeTextFile(
    `${directory}/package.json`,
    JSON.stringify({ dependencies: Object.fromEntries(dependencies) }),
  );
  await run("install", "--node-modules-dir=auto");
  for (const library of LIBRARIES) {
    const text = await header(library) + await bundle(library);
    await Deno.writeTextFile(new URL(library.output, ROOT), text);
  }
} finally {
  await Deno.remove(directory, { recursive: true });
}

async function header(library: Library): Promise<string> {
  const { name, version, dependencies } = library;
  const made = `${name} ${version}, bundled by \`deno task bundle:libraries\`.`;
  const folders = [
    [name, name],
    ...dependencies.map((name) => [name, `.deno/node_modules/${name}`]),
  ];
  const licenses = folders.map(async ([name, folder]) => {
    const path = `${directory}/node_modules/${folder}/LICENSE`;
    return `${name}\n\n${(await Deno.readTextFile(path)).trim()}\n`;
  });
  return `/*\n${[made, ...await Promise.all(licenses)].join("\n")}*/\n`;
}

/** The code of a library, without the paths of this machine. */
async function bundle({ name, module, exports }: Library): Promise<string> {
  const input = `${directory}/entry.js`;
  await Deno.writeTextFile(
    input,
    `export { ${exports} } from "./node_modules/${name}/${module}";\n`,
  );
  const text = await run("bundle", "--platform=deno", input);
  return text.replaceAll(/^ *\/\/ \S*node_modules\/\S*$\n/gm, "")
    .replaceAll(/"[^"\n]*(node_modules\/[^"\n]*)"/g, '"$1"');
}

async function run(...args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args, cwd: directory });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
