import type { FakeFiles } from "../_fake_files.ts";
import { buildVhd, type VhdPlan } from "./_build_vhd.ts";

const PATH = "disk.img";
const TRAITS = { content: "its own", writes: "refused" } as const;
const PARENT = 4;

/** How images of VHD are made for the suite of backends. */
export const VHD_FIXTURES = [
  {
    ...TRAITS,
    variant: "fixed",
    // Its bytes are made in memory.
    large: false,
    source: (size: number, files: FakeFiles) =>
      write(files, { size, kind: "fixed" }),
  },
  {
    ...TRAITS,
    variant: "dynamic",
    source: (size: number, files: FakeFiles) =>
      write(files, {
        size,
        kind: "dynamic",
        blockSize: blockFor(size),
        hasBlock: (i) => i % 3 !== 1 && i < 50,
        hasSector: (i) => i % 8 !== 3,
      }),
  },
  {
    ...TRAITS,
    variant: "differencing",
    source(size: number, files: FakeFiles): string {
      const base = buildVhd({
        size,
        kind: "dynamic",
        blockSize: blockFor(size),
        byteAt: (position) => 7 + position % 13,
        id: PARENT,
        hasBlock: (i) => i % 3 !== 0 && i < 50,
      });
      files.write("base.vhd", base);
      return write(files, {
        size,
        kind: "differencing",
        blockSize: blockFor(size),
        relativePath: ".\\base.vhd",
        parentId: PARENT,
        hasBlock: (i) => i % 2 === 0 && i < 40,
        hasSector: (i) => i % 5 < 3,
      });
    },
  },
];

function write(files: FakeFiles, plan: VhdPlan): string {
  files.write(PATH, buildVhd(plan));
  return `vhd:${PATH}`;
}

/** Small blocks, unless there would be too many of them. */
function blockFor(size: number): number {
  return size > 1 << 30 ? 1 << 20 : 8192;
}
