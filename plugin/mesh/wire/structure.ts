/**
 * Go structs on the wire: a map from field names to values, written in the order of the names; unknown fields are passed
 * over, missing ones and nil are zero. One declaration gives both directions.
 */
import { addressFromBytes, addressToBytes } from './ip-address.ts';
import type { MsgpackReader } from './msgpack-reader.ts';
import type { MsgpackWriter } from './msgpack-writer.ts';

/** How one kind of value is read and written. */
export interface Kind<T> {
  readonly zero: T;
  read(reader: MsgpackReader): T;
  write(writer: MsgpackWriter, value: T): void;
  /** True when a field with this value is left out (Go's `omitempty`). */
  isLeftOut?(value: T): boolean;
}

export interface Structure<T> {
  /** @throws WireFault */
  read(reader: MsgpackReader): T;
  write(writer: MsgpackWriter, value: T): void;
}

type Kinds = Readonly<Record<string, Kind<unknown>>>;
type Values<K extends Kinds> = { readonly [Name in keyof K]: K[Name] extends Kind<infer T> ? T : never };

/** Longer than any field name of these protocols. */
const FIELD_NAME_BYTES_MAX = 64;

/** `kinds` by field name; the wire name is the same with a capital letter (`lTime` is `LTime`). */
export function structure<K extends Kinds>(kinds: K): Structure<Values<K>> {
  const fields = Object.entries(kinds)
    .map(([name, kind]) => ({ name, kind, wire: wireName(name) }))
    .sort((a, b) => (a.wire < b.wire ? -1 : 1));
  const byWire = new Map(fields.map((field) => [field.wire, field]));
  const zero = Object.fromEntries(fields.map(({ name, kind }) => [name, kind.zero]));
  return {
    read(reader) {
      const value: Record<string, unknown> = { ...zero };
      const entries = reader.mapSize();
      for (let index = 0; index < entries; index += 1) {
        const field = byWire.get(reader.text(FIELD_NAME_BYTES_MAX));
        if (field === undefined) reader.skip();
        else value[field.name] = field.kind.read(reader);
      }
      return value as Values<K>;
    },
    write(writer, value) {
      const all: Readonly<Record<string, unknown>> = value;
      const present = fields.filter(({ name, kind }) => kind.isLeftOut?.(all[name]) !== true);
      writer.map(present.length);
      for (const { name, kind, wire } of present) {
        writer.text(wire);
        kind.write(writer, all[name]);
      }
    },
  };
}

export function uint(max: number): Kind<number> {
  return { zero: 0, read: (reader) => reader.uint(max), write: (writer, value) => void writer.uint(value) };
}

export const uint8 = uint(0xff);
export const uint16 = uint(0xffff);
export const uint32 = uint(0xffff_ffff);
/** Go's uint64 up to 2^53 - 1; nothing here counts further. */
export const uint53 = uint(Number.MAX_SAFE_INTEGER);

export const bool: Kind<boolean> = {
  zero: false,
  read: (reader) => reader.bool(),
  write: (writer, value) => void writer.bool(value),
};

export function text(bytesMax: number): Kind<string> {
  return { zero: '', read: (reader) => reader.text(bytesMax), write: (writer, value) => void writer.text(value) };
}

/** Empty bytes are nil, as a Go slice that nobody has set. */
export function bytes(bytesMax: number): Kind<Uint8Array> {
  return {
    zero: new Uint8Array(0),
    read: (reader) => reader.bytes(bytesMax),
    write: (writer, value) => void (value.length === 0 ? writer.nil() : writer.bytes(value)),
  };
}

/** An IP address as text; "" when there is none. 4 or 16 bytes on the wire. */
export const address: Kind<string> = {
  zero: '',
  read: (reader) => addressFromBytes(reader.bytes(16)),
  write: (writer, value) => void (value === '' ? writer.nil() : writer.bytes(addressToBytes(value))),
};

/** The same kind, left out when it is zero. */
export function omitEmpty<T extends string | number>(kind: Kind<T>): Kind<T> {
  return { ...kind, isLeftOut: (value) => value === kind.zero };
}

function wireName(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
