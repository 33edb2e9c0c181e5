/** One run of a program. */
export interface Run {
  /** The program's name. */
  readonly program: string;
  /** The server's name. */
  readonly server: string;
  /** How long it took. */
  readonly seconds: number;
  /** CPU seconds of the server meanwhile. */
  readonly serverS: number;
}
