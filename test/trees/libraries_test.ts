import { assertNotMatch, assertStringIncludes } from "@std/assert";
import { missingPermission, testIf } from "../requirements.ts";
import { LIBRARIES } from "./_libraries.ts";

const ROOT = new URL("../../", import.meta.url);

testIf(
  missingPermission("read"),
  "the bundled libraries have the versions that are listed, and need nothing",
  async () => {
    for (const { name, version, output } of LIBRARIES) {
      const text = await Deno.readTextFile(new URL(output, ROOT));
      assertStringIncludes(text, `${name} ${version}, bundled by`);
      assertNotMatch(text, /^import |\bfrom "|import\("/m);
    }
  },
);
