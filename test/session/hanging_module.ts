/** A module for the tests whose factory never ends. */
export default function hang(): Promise<never> {
  return new Promise(() => {});
}
