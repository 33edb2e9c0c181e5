/** Ten images of the covering set, drawn anew each time; the task has them all. */
import { assert, assertEquals } from "@std/assert";
import { randomly } from "../_random.ts";
import { kernelTest } from "../requirements.ts";
import { allTransports, compareImage } from "./compare_image.ts";
import { caseName, CHOICES, coveringSet } from "./plan.ts";
import { QemuTools } from "./tools.ts";

const IMAGES = 10;
const OPERATIONS = 150;

kernelTest(
  "images that QEMU and clients of their mount change in turn are the same to both",
  (t) =>
    randomly(1, async (random) => {
      const cases = coveringSet();
      for (let i = 0; i < IMAGES; i++) {
        const [image] = cases.splice(random.below(cases.length), 1);
        const seed = random.below(2 ** 32);
        await t.step(caseName(image!), async () => {
          const counts = await compareImage({
            tools: new QemuTools(),
            image: image!,
            seed,
            operations: OPERATIONS,
            transports: allTransports(),
          });
          assert(counts.write! > 0);
        });
      }
    }),
  ["qemu-img", "qemu-io", "python3"],
);

Deno.test("the covering set has at most 100 images, with every choice", () => {
  const cases = coveringSet();
  assert(cases.length <= 100);
  for (const [name, values] of Object.entries(CHOICES)) {
    const found = new Set(cases.map((each) => each[name as keyof typeof each]));
    assertEquals(found, new Set<unknown>(values), name);
  }
});
