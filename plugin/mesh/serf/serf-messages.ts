/** serf's messages above memberlist: intents and its share of a state exchange. (serf `messages.go`) */
import { MEMBERS_MAX, NAME_BYTES_MAX } from '../limits.ts';
import { MsgpackReader } from '../wire/msgpack-reader.ts';
import { MsgpackWriter } from '../wire/msgpack-writer.ts';
import { type Kind, bool, structure, text, uint53 } from '../wire/structure.ts';
import { WireFault } from '../wire/wire-fault.ts';

export const SERF = { leave: 0, join: 1, pushPull: 2, userEvent: 3, query: 4 } as const;

const name = text(NAME_BYTES_MAX);

/** serf writes `LTime`, which is `lTime` here. */
const JOIN = structure({ lTime: uint53, node: name });
const LEAVE = structure({ lTime: uint53, node: name, prune: bool });
/** Of events and queries only the time is looked at. */
const TIMED = structure({ lTime: uint53 });

const times: Kind<ReadonlyMap<string, number>> = {
  zero: new Map(),
  read(reader) {
    const found = new Map<string, number>();
    for (let left = bounded(reader.mapSize()); left > 0; left -= 1) {
      found.set(reader.text(NAME_BYTES_MAX), reader.uint(Number.MAX_SAFE_INTEGER));
    }
    return found;
  },
  write(writer, value) {
    writer.map(value.size);
    for (const [member, time] of value) writer.text(member).uint(time);
  },
};

const names: Kind<readonly string[]> = {
  zero: [],
  read: (reader) => Array.from({ length: bounded(reader.arraySize()) }, () => reader.text(NAME_BYTES_MAX)),
  write(writer, value) {
    writer.array(value.length);
    for (const member of value) writer.text(member);
  },
};

/** Recent user events: we keep none, and pass over those of others. */
const noEvents: Kind<null> = {
  zero: null,
  read: (reader) => {
    reader.skip();
    return null;
  },
  write: (writer) => void writer.array(0),
};

const PUSH_PULL = structure({
  lTime: uint53,
  statusLTimes: times,
  leftMembers: names,
  eventLTime: uint53,
  events: noEvents,
  queryLTime: uint53,
});

export type Intent = ReturnType<typeof JOIN.read>;
export type SerfState = ReturnType<typeof PUSH_PULL.read>;

/** All readers: `message` with serf's type byte in front. @throws WireFault */
export const readJoin = (message: Buffer): Intent => JOIN.read(new MsgpackReader(message, 1));
export const readLeave = (message: Buffer): Intent => LEAVE.read(new MsgpackReader(message, 1));
export const readTime = (message: Buffer): number => TIMED.read(new MsgpackReader(message, 1)).lTime;
export const readSerfState = (message: Buffer): SerfState => PUSH_PULL.read(new MsgpackReader(message, 1));

export function writeJoin(value: Intent): Buffer {
  const writer = new MsgpackWriter().raw(SERF.join);
  JOIN.write(writer, value);
  return writer.finish();
}

export function writeLeave(value: Intent): Buffer {
  const writer = new MsgpackWriter().raw(SERF.leave);
  LEAVE.write(writer, { ...value, prune: false });
  return writer.finish();
}

export function writeSerfState(value: Omit<SerfState, 'events'>): Buffer {
  const writer = new MsgpackWriter().raw(SERF.pushPull);
  PUSH_PULL.write(writer, { ...value, events: null });
  return writer.finish();
}

function bounded(count: number): number {
  if (count > MEMBERS_MAX) throw new WireFault('oversized', `${count} members in a serf state`);
  return count;
}
