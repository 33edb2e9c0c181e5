import { Random } from "../_random.ts";
import { Fuzzer } from "./_fuzz.ts";

Deno.test("damaged golden messages do no harm", async () => {
  const fuzzer = new Fuzzer(new Random(20_260));
  for (let i = 0; i < 10_000; i++) {
    const failure = await fuzzer.next();
    if (failure !== null) {
      throw new Error(`${failure.origin}\n${failure.testCase}`, {
        cause: failure.error,
      });
    }
  }
});
