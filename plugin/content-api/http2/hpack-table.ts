/** HPACK's tables (RFC 7541 §2.3): the static one, and what the peer put into the dynamic one. */

export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

const STATIC =
  `:authority=|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204
|:status=206|:status=304|:status=400|:status=404|:status=500|accept-charset=|accept-encoding=gzip, deflate|accept-language=
|accept-ranges=|accept=|access-control-allow-origin=|age=|allow=|authorization=|cache-control=|content-disposition=
|content-encoding=|content-language=|content-length=|content-location=|content-range=|content-type=|cookie=|date=|etag=|expect=
|expires=|from=|host=|if-match=|if-modified-since=|if-none-match=|if-range=|if-unmodified-since=|last-modified=|link=|location=
|max-forwards=|proxy-authenticate=|proxy-authorization=|range=|referer=|refresh=|retry-after=|server=|set-cookie=
|strict-transport-security=|transfer-encoding=|user-agent=|vary=|via=|www-authenticate=`
    .replaceAll('\n', '')
    .split('|')
    .map((entry): HeaderField => {
      const cut = entry.indexOf('=');
      return { name: entry.slice(0, cut), value: entry.slice(cut + 1) };
    });

/** Bytes that an entry counts for beside its text (RFC 7541 §4.1). */
const ENTRY_OVERHEAD = 32;

export function fieldSize({ name, value }: HeaderField): number {
  return name.length + value.length + ENTRY_OVERHEAD;
}

/** Both tables under one index. The dynamic one holds at most `maxBytes`, newest first. */
export class HpackTable {
  #entries: HeaderField[] = [];
  #bytes = 0;
  #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The field at an index from 1 on; undefined when there is none. */
  get(index: number): HeaderField | undefined {
    return index <= STATIC.length ? STATIC[index - 1] : this.#entries[index - STATIC.length - 1];
  }

  /** A field larger than the table empties it (RFC 7541 §4.4). */
  add(field: HeaderField): void {
    this.#entries.unshift(field);
    this.#bytes += fieldSize(field);
    this.#evict();
  }

  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evict();
  }

  #evict(): void {
    while (this.#bytes > this.#maxBytes) {
      const last = this.#entries.pop();
      if (last === undefined) return;
      this.#bytes -= fieldSize(last);
    }
  }
}
