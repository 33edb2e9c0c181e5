/**
 * Bundles the libraries that read archives into the sources, so that a program
 * that uses them loads nothing from a registry. Run it by
 * `deno task bundle:libraries` after changing a version below.
 *
 * @module
 */
import { LIBRARIES, type Library } from "./_libraries.ts";

const ROOT = new URL("../../", import.meta.url);

for (const library of LIBRARIES) {
  const code = await bundle(library);
  const license = await Deno.readTextFile(
    `${await npmCache()}/${library.package}/${library.version}/LICENSE`,
  ).catch(() => library.license);
  await Deno.writeTextFile(
    new URL(library.output, ROOT),
    `/*\n${library.package} ${library.version}, ` +
      `bundled by \`deno task bundle:libraries\`.\n\n${license.trim()}\n*/\n` +
      code,
  );
}

/** The code of a library, without the paths of this machine. */
async function bundle(library: Library): Promise<string> {
  const { package: name, version, entry, exports } = library;
  const directory = await Deno.makeTempDir();
  try {
    const input = `${directory}/entry.js`;
    const from = `npm:${name}@${version}/`;
    const lines = Object.entries(exports).map(([module, names]) =>
      `export { ${names.join(", ")} } from "${from}${entry}${module}";\n`
    );
    await Deno.writeTextFile(input, lines.join(""));
    const text = await output("bundle", "--platform", "deno", input);
    return text.replaceAll(/^\/\/ \S*\/\S*$\n/gm, "");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function npmCache(): Promise<string> {
  const { npmCache } = JSON.parse(await output("info", "--json"));
  return `${npmCache}/registry.npmjs.org`;
}

async function output(...args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
