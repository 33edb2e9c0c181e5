import { assertEquals, assertMatch } from "@std/assert";
import { buildVhd } from "../backends/vhd/_build_vhd.ts";
import { inDirectory, must, randomFile } from "../mount/_harness.ts";
import { kernelTest } from "../requirements.ts";
import { compareSample } from "./sample_image.ts";
import { QemuTools } from "./tools.ts";

const SIZE = 4 << 20;

kernelTest(
  "a sample is compared as what it is, and a difference is found",
  () =>
    inDirectory(async (directory) => {
      const samples = `${directory}/samples`;
      await Deno.mkdir(samples);
      await randomFile(`${samples}/disk.img`, SIZE);
      const to = ["-f", "raw", "-O", "vhdx", `${samples}/disk.img`];
      await must("qemu-img", "convert", ...to, `${samples}/disk.vhdx`);
      // QEMU does not know this creator, and takes the geometry.
      const vhd = buildVhd({
        size: SIZE,
        kind: "dynamic",
        creator: "abcd",
        geometry: [60, 4, 17],
      });
      await Deno.writeFile(`${samples}/disk.vhd`, vhd);
      const tools = new QemuTools();
      const verdictOn = async (name: string) => {
        const own = `${directory}/${name}`;
        await Deno.mkdir(own);
        return await compareSample(`${samples}/${name}`, own, tools);
      };
      const same = await verdictOn("disk.vhdx");
      assertEquals([same.agrees, same.text], [
        true,
        `${SIZE} bytes are the same`,
      ]);
      assertEquals(same.source, `vhdx:${samples}/disk.vhdx`);
      const raw = await verdictOn("disk.img");
      assertEquals([raw.agrees, raw.source], [true, ""]);
      const other = await verdictOn("disk.vhd");
      assertEquals(other.agrees, false);
      assertMatch(other.text, /4194304 bytes, and 2088960 to QEMU/);
    }),
  ["qemu-img", "cmp"],
);
