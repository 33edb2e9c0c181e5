import { assertEquals } from "@std/assert";
import type { ImageAttachment } from "../../src/backends/attach_image.ts";
import { planBatches, withBatches } from "../../src/session/batching.ts";
import type { HandlerSpec } from "../../src/session/open_handler.ts";
import { URING } from "../../src/session/transport.ts";

const DEVICE = { ...URING, kind: "device" } as const;

/** An export of an image whose drivers lie on each other. */
function exportOf(...drivers: string[]): HandlerSpec {
  const image = drivers.reduceRight<ImageAttachment[]>(
    (below, driver) => [{ driver, attachment: null, below }],
    [],
  )[0]!;
  const memory = new SharedArrayBuffer(8);
  const rules = { writable: true, growable: false, allowOther: false };
  return { kind: "export", image, syncErrors: memory, state: memory, rules };
}

Deno.test("planBatches() leaves out queues that run the code of a module", () => {
  const module = {
    kind: "module",
    module: "file:///x.ts",
    options: 1,
  } as const;
  for (
    const spec of [module, exportOf("module"), exportOf("window", "module")]
  ) {
    const { choice, whyNot } = planBatches("auto", spec);
    assertEquals([choice, whyNot === null], ["off", false]);
  }
  for (const spec of [exportOf("file"), exportOf("window", "raw", "file")]) {
    assertEquals(planBatches("auto", spec), { choice: "auto", whyNot: null });
  }
  const off = { choice: "off", whyNot: null } as const;
  assertEquals(planBatches("off", exportOf("module")), off);
});

Deno.test("withBatches() says why a Worker reads no batches", () => {
  const auto = { choice: "auto", whyNot: null } as const;
  assertEquals(withBatches(URING, auto, ["x"]), URING);
  assertEquals(withBatches(DEVICE, auto, [null, null]).batching, true);
  const refused = withBatches(DEVICE, auto, [null, "no ring"]);
  assertEquals([refused.batching, refused.whyNoBatches], [false, "no ring"]);
  const off = withBatches(DEVICE, { choice: "off", whyNot: "module" }, []);
  assertEquals([off.batching, off.whyNoBatches], [false, "module"]);
});
