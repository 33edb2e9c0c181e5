import { assertEquals, assertMatch } from "@std/assert";
import { main } from "../../src/cli/main.ts";
import { KeptSinks } from "./_sinks.ts";

Deno.test("commands that change images refuse wrong command lines", async () => {
  for (
    const [line, said] of [
      ["snapshot", /Cannot change snapshots without IMAGE and ACTION; usage/],
      ["snapshot a", /without IMAGE and ACTION/],
      ["snapshot qcow2:a make x", /Unknown action make; usage: snapshot/],
      ["snapshot qcow2:a create", /Cannot create a snapshot without its NAME/],
      ["snapshot qcow2:a list x", /Cannot use the operand x/],
      ["snapshot qcow2:a apply x y", /Cannot use the operand y/],
      ["commit", /Cannot commit without an IMAGE; usage: commit/],
      ["commit a b", /Cannot use a second operand, b/],
      ["rebase", /Cannot rebase without an IMAGE; usage: rebase/],
      ["rebase qcow2:a", /without either --backing=SOURCE or --no-backing/],
      ["rebase qcow2:a --no-backing --backing=b", /without either --backing/],
      ["resize a", /Cannot resize without IMAGE and SIZE; usage: resize/],
      ["resize a x", /Cannot read size "x"/],
      ["resize a 1M 2M", /Cannot use a third operand, 2M/],
    ] as const
  ) {
    const sinks = new KeptSinks();
    assertEquals(await main(line.split(" "), "1", sinks), 2, line);
    assertMatch(sinks.err, said);
  }
});
