/** The registry's access log (Apache's combined format, on its stdout), read into requests. Pure. */

export interface RegistryRequest {
  method: string;
  /** Path with query, as the client sent it. */
  path: string;
  status: number;
  /** Bytes of the answer's body. */
  bytes: number;
  userAgent: string;
}

const LINE =
  /^\S+ \S+ \S+ \[[^\]]*\] "(?<method>\S+) (?<path>\S+) [^"]*" (?<status>\d{3}) (?<bytes>\d+|-) "[^"]*" "(?<agent>.*)"$/;

/** The requests in a log's text, in order of their end. Lines of another form are passed over. */
export function parseAccessLog(text: string): RegistryRequest[] {
  return text.split('\n').flatMap((line) => parseLine(line) ?? []);
}

function parseLine(line: string): RegistryRequest | undefined {
  const found = LINE.exec(line)?.groups;
  if (!found) return undefined;
  return {
    method: found.method ?? '',
    path: found.path ?? '',
    status: Number(found.status),
    bytes: Number(found.bytes === '-' ? 0 : found.bytes),
    userAgent: found.agent ?? '',
  };
}

/** True for a GET of a blob that was answered with bytes (whole or a range), of `digest` when one is given. */
export function isBlobGet(request: RegistryRequest, digest?: string): boolean {
  const blob = /\/blobs\/(sha256:[0-9a-f]{64})(?:\?|$)/.exec(request.path)?.[1];
  if (request.method !== 'GET' || blob === undefined || request.status >= 300) return false;
  return digest === undefined || blob === digest;
}
