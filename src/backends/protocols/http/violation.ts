/** A server sends what HTTP does not allow. Its message is half a sentence. */
export class HttpViolation extends Error {
  override name = "HttpViolation";
}
