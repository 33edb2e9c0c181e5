import { isMet, type Target } from "./targets.ts";

/** The targets as rows of a table, the headings first. */
export function targetRows(targets: readonly Target[]): string[][] {
  return [
    ["target, to QEMU if nothing else is said", "wanted", "reached", ""],
    ...targets.map((target) => {
      const { what, bound, limit, value, where } = target;
      const sign = bound === "least" ? "at least" : "at most";
      const reached = value === null
        ? "-"
        : `${value.toFixed(2)}${where === "" ? "" : ` (${where})`}`;
      const verdict = { true: "met", false: "missed", null: "not measured" };
      return [
        what,
        `${sign} ${limit}`,
        reached,
        verdict[`${isMet(target)}`],
      ];
    }),
  ];
}
