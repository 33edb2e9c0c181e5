/** One run of fio. */
export interface Sample {
  /** The cell's name. */
  readonly cell: string;
  /** The server's name. */
  readonly server: string;
  /** Requests a second, as the client counts them. */
  readonly iops: number;
  /** Bytes a second. */
  readonly bytesPerSecond: number;
  /** 99th percentile of the latency in microseconds. */
  readonly p99Us: number;
  /** CPU microseconds of the server a request; `null` for the file itself. */
  readonly serverUs: number | null;
}
