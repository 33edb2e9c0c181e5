import { assert, assertEquals, assertRejects } from "@std/assert";
import { usesOf } from "../../src/cli/tune/load.ts";
import { measureVariants } from "../../src/cli/tune/measure.ts";
import { imageIn, MIB, mountTest, must } from "./_harness.ts";

/** Where measurements mount. */
async function mounts(): Promise<string[]> {
  const text = await Deno.readTextFile("/proc/self/mountinfo");
  return text.split("\n").filter((line) => line.includes("mqfuse-tune-"));
}

mountTest(
  "tune measures every variant and leaves the image and no mount",
  async (directory) => {
    const { image } = await imageIn(directory, 4 * MIB);
    const sum = await must("sha256sum", image);
    let [last, all] = [0, 0];
    for (const overlay of [null, "memory"]) {
      const measured = await measureVariants({
        source: image,
        overlay,
        partition: null,
      }, {
        signal: new AbortController().signal,
        budgetMs: 1000,
        rounds: 1,
        onProgress: (done, of) => [last, all] = [done, of],
      });
      assertEquals(last, all);
      assert(measured.length >= 2);
      for (const { variant, rates } of measured) {
        const uses = usesOf(overlay !== null);
        assertEquals(rates.length, uses.length, JSON.stringify(variant));
        for (const rate of rates) assert(rate > 0 && Number.isFinite(rate));
      }
    }
    assertEquals(await must("sha256sum", image), sum);
    assertEquals(await mounts(), []);
  },
);

mountTest("tune that is stopped leaves no mount", async (directory) => {
  const { image } = await imageIn(directory, MIB);
  const stopping = new AbortController();
  await assertRejects(() =>
    measureVariants({ source: image, overlay: null, partition: null }, {
      signal: stopping.signal,
      budgetMs: 2000,
      onProgress: () => stopping.abort(),
    })
  );
  assertEquals(await mounts(), []);
  const empty = `${directory}/empty.img`;
  await Deno.writeTextFile(empty, "");
  const { signal } = new AbortController();
  await assertRejects(
    () =>
      measureVariants(
        { source: empty, overlay: null, partition: "1" },
        { signal, onProgress: () => {} },
      ),
    Error,
  );
  assertEquals(await mounts(), []);
});
