import type { FakeFiles } from "../_fake_files.ts";
import { buildVhdx, VHDX_AT, type VhdxPlan } from "./_build_vhdx.ts";

const PATH = "disk.img";
const PAGE = 4096;
const TRAITS = { content: "its own", writes: "refused" } as const;

/** How images of VHDX are made for the suite of backends. */
export const VHDX_FIXTURES = [
  {
    ...TRAITS,
    variant: "dynamic",
    source: (size: number, files: FakeFiles) =>
      write(files, { size, stateOf: (i) => i < 2 ? 6 : i % 4 }),
  },
  {
    ...TRAITS,
    variant: "with a log",
    source: (size: number, files: FakeFiles) =>
      write(files, {
        size,
        stateOf: (i) => i === 0 ? 6 : 0,
        log: [{
          sequence: 8n,
          changes: [
            {
              offset: VHDX_AT.BLOCKS + 8192,
              data: new Uint8Array(4096).fill(7),
            },
            { offset: VHDX_AT.BLOCKS + 65_536, length: 12_288 },
          ],
        }],
      }),
  },
  {
    ...TRAITS,
    variant: "differencing",
    // Its bitmaps take seconds to make; the dynamic one is as large.
    large: false,
    source(size: number, files: FakeFiles): string {
      const base = buildVhdx({
        size: Math.ceil(size / 512) * 512,
        dataWriteId: 0xab,
        stateOf: (i) => i === 0 ? 6 : 0,
        byteAt: (position) => 7 + position % 13,
      });
      files.write("base.vhdx", base);
      const ab = (count: number) => "AB".repeat(count);
      const id = `${ab(4)}-${ab(2)}-${ab(2)}-${ab(2)}-${ab(6)}`;
      return write(files, {
        size,
        parent: {
          "parent_linkage": `{${id}}`,
          "relative_path": ".\\base.vhdx",
        },
        stateOf: (i) => i === 0 ? 7 : 0,
        hasSector: (i) => i % 5 < 3,
      });
    },
  },
];

function write(files: FakeFiles, plan: VhdxPlan): string {
  // Whole sectors; a window shows less.
  const size = Math.ceil(plan.size / 512) * 512;
  const bytes = buildVhdx({ ...plan, size });
  files.add(PATH, bytes.length);
  const file = files.open(PATH, { writable: true });
  for (let at = 0; at < bytes.length; at += PAGE) {
    const page = bytes.subarray(at, at + PAGE);
    // Only what is not zero takes space.
    if (page.some((byte) => byte !== 0)) file.pwrite(page, 0, page.length, at);
  }
  file.close();
  return `vhdx:${PATH}`;
}
