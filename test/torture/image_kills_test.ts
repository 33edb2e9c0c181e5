import { killCommand, KILLED } from "./_image_kills.ts";
import { torture } from "./_harness.ts";
import { amount, tell } from "./_scale.ts";

for (const command of KILLED) {
  const kills = amount(2, 20);
  torture(
    `images are sound after kills of ${command}, and have what they had or were to have`,
    async (directory) => {
      const seed = crypto.getRandomValues(new Uint16Array(1))[0]!;
      const figures = await killCommand(directory, command, kills, seed);
      tell(`kills of ${command}: ${JSON.stringify(figures)}`);
    },
    {
      programs: ["qemu-img", "setsid", "timeout", "python3"],
      limitS: 120 + kills * 10,
    },
  );
}
