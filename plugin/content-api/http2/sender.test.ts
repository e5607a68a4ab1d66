/** The sending half against a socket that takes everything at once, as that of a client that reads as fast as we write. */
import { describe, expect, it } from '@jest/globals';
import { BULK_TURN_BYTES_MAX, SHORT_ANSWER_BYTES } from './limits.ts';
import { Output } from './output.ts';
import { Sender } from './sender.ts';

const MIB = 1024 * 1024;
const WINDOW = 64 * MIB;

function open() {
  let written = 0;
  const output = new Output((bytes, done) => {
    written += bytes.length;
    process.nextTick(done);
  });
  const sender = new Sender({ output, onEnded: () => undefined });
  sender.setInitialWindow(WINDOW, []);
  sender.openWindow(WINDOW);
  return { sender, written: () => written };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('send()', () => {
  it('spreads a long answer over turns of the event loop, and loses none of it', async () => {
    const { sender, written } = open();
    sender.send(sender.open(1), [Buffer.alloc(4 * MIB)]);
    let before = 0;
    let turns = 0;
    while (written() < 4 * MIB) {
      await turn();
      // Frame heads come on top.
      expect(written() - before).toBeLessThan(2.1 * BULK_TURN_BYTES_MAX);
      before = written();
      turns += 1;
      expect(turns).toBeLessThan(100);
    }
    expect(turns).toBeGreaterThan(4);
  });

  it('does not make a short answer wait for the turn of a long one', async () => {
    const { sender, written } = open();
    sender.send(sender.open(1), [Buffer.alloc(MIB)]);
    const before = written();
    sender.send(sender.open(3), [Buffer.alloc(SHORT_ANSWER_BYTES)]);
    expect(written() - before).toBeGreaterThanOrEqual(SHORT_ANSWER_BYTES);
  });
});
