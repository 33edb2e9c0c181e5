import { assert } from "@std/assert";
import { granted, requirement } from "../requirements.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const BUNDLE = "src/session/worker.bundle.js";
const SOURCE = "src/session/worker.ts";

const missing = (["run", "read", "write"] as const).find((name) =>
  !granted(name)
);
const reason = missing === undefined ? "" : `needs --allow-${missing}`;
const { ignore } = requirement(missing === undefined, reason);
const name = "the Worker's bundle is that of the sources";

Deno.test({
  name: missing === undefined ? name : `${name} (${reason})`,
  ignore,
  async fn() {
    const fresh = await Deno.makeTempFile({ suffix: ".js" });
    try {
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["bundle", "--platform", "deno", "-o", fresh, SOURCE],
        cwd: ROOT,
        stdin: "null",
      }).output();
      assert(code === 0, new TextDecoder().decode(stderr));
      const same = await Deno.readTextFile(fresh) ===
        await Deno.readTextFile(`${ROOT}${BUNDLE}`);
      assert(same, `${BUNDLE} is stale: run "deno task bundle"`);
    } finally {
      await Deno.remove(fresh);
    }
  },
});
