import { describe, expect, it } from '@jest/globals';
import { OpenConnections } from './open-connections.ts';

function connections(max: number) {
  const closed: string[] = [];
  const overflows: string[] = [];
  const open = new OpenConnections({ max, onOverflow: (which) => void overflows.push(which) });
  const connection = (name: string) => ({ destroy: () => void closed.push(name) });
  return { open, connection, closed, overflows };
}

describe('OpenConnections', () => {
  it('opened() closes the longest idle one when there are too many', () => {
    const { open, connection, closed, overflows } = connections(2);
    for (const name of ['a', 'b', 'c', 'd']) open.opened(connection(name));
    expect(closed).toEqual(['a', 'b']);
    expect(overflows).toEqual(['idle', 'idle']);
    expect(open.size).toBe(2);
  });

  it('opened() leaves those alone that are being answered, and closes the new one when all are', () => {
    const { open, connection, closed, overflows } = connections(2);
    const [a, b] = [connection('a'), connection('b')];
    for (const one of [a, b]) open.opened(one);
    open.began(a);
    open.opened(connection('c'));
    expect(closed).toEqual(['b']);
    const d = connection('d');
    open.opened(d);
    open.began(d);
    open.opened(connection('e'));
    expect(closed).toEqual(['b', 'c', 'e']);
    expect(overflows).toEqual(['idle', 'idle', 'new']);
    expect(open.size).toBe(2);
  });

  it('ended() makes one idle again, as the last in the row, once nothing is under way on it', () => {
    const { open, connection, closed } = connections(2);
    const [a, b] = [connection('a'), connection('b')];
    for (const one of [a, b]) open.opened(one);
    open.began(a);
    open.began(a);
    open.ended(a);
    open.opened(connection('c'));
    open.ended(a);
    open.opened(connection('d'));
    open.opened(connection('e'));
    expect(closed).toEqual(['b', 'c', 'a']);
  });

  it('closed() ones are not counted, and what comes late for them changes nothing', () => {
    const { open, connection, closed } = connections(1);
    const a = connection('a');
    open.opened(a);
    open.closed(a);
    open.ended(a);
    open.began(a);
    expect(open.size).toBe(0);
    open.opened(connection('b'));
    expect(closed).toEqual([]);
  });
});
