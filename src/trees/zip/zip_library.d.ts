/** An entry of the directory of a ZIP archive. */
export interface ZipEntry {
  readonly filename: string;
  readonly rawFilename: Uint8Array<ArrayBuffer>;
  readonly directory: boolean;
  readonly symlink: boolean;
  readonly encrypted: boolean;
  readonly compressionMethod: number;
  readonly uncompressedSize: number;
  /** Where its local file header lies. */
  readonly offset: number;
  /** Type and permissions. */
  readonly unixMode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly lastModDate: Date;
  readonly lastAccessDate?: Date;
  /** Writes its data; there is none for directories. */
  getData?(
    to: WritableStream<Uint8Array>,
    options: { readonly signal: AbortSignal },
  ): Promise<unknown>;
}

/** What an archive is read from. */
export interface ZipReadable {
  readonly size: number;
  readUint8Array(offset: number, length: number): Promise<Uint8Array>;
  createReadable(
    range: { offset: number; size: number },
  ): ReadableStream<Uint8Array>;
}

/** Reads the directory of a ZIP archive. */
export class ZipReader {
  constructor(source: ZipReadable, options: {
    readonly filenameValidation: "strict" | "balanced" | "tolerant";
    readonly checkCrc32: boolean;
    readonly useWebWorkers: boolean;
    readonly password?: string;
  });
  getEntries(): Promise<ZipEntry[]>;
}
