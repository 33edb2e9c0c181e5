/**
 * A value as it would be written in a program, or what it is. Never throws, even
 * if the value refuses to be converted to text.
 *
 * @param value Any value.
 */
export function showValue(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "function":
      return "a function";
    case "object":
      return value === null ? "null" : "an object";
    default:
      return Object.is(value, -0) ? "-0" : String(value);
  }
}
