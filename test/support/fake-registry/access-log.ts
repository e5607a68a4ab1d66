/** What a fake registry was asked. */

export interface AccessEntry {
  /** The second port is 'storage'. */
  host: 'registry' | 'storage';
  method: string;
  /** Without the query. */
  path: string;
  query: string;
  range: string | undefined;
  authorization: string | undefined;
  /** What was answered; 0 until then. */
  status: number;
  /** Of the body, as handed to the connection. */
  bytes: number;
  /** Counts up for each connection: the same number means the same connection. */
  connection: number;
}

/** Requests kept; a test that needs more is doing something else. */
const ENTRIES_MAX = 100_000;

export class AccessLog {
  readonly entries: AccessEntry[] = [];

  add(entry: AccessEntry): void {
    if (this.entries.length < ENTRIES_MAX) this.entries.push(entry);
  }

  /** `GET /v2/a/manifests/latest 200`, one for each request, in order. */
  lines(): string[] {
    return this.entries.map(({ method, path, status }) => `${method} ${path} ${status}`);
  }

  /** Requests whose path matches. */
  of(path: RegExp): AccessEntry[] {
    return this.entries.filter((entry) => path.test(entry.path));
  }

  /** Blob bytes that left both ports. */
  blobBytes(): number {
    return this.of(/\/(blobs|storage)\//).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  clear(): void {
    this.entries.length = 0;
  }
}
