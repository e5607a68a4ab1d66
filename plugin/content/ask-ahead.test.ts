import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { AskAhead, HEAD_START_MS } from './ask-ahead.ts';
import type { BlobSource, Route, Want } from './blob-source.ts';
import { ManualClock } from './fakes/manual-clock.ts';

const WANT: Want = { digest: digestOf('layer'), size: 5, sources: [] };

/** A source whose answer is set by the test. */
class FakeSource implements BlobSource {
  readonly name = 'fake';
  asked = 0;
  #answer: Route;
  readonly #known = Promise.withResolvers<void>();

  constructor(answer: Route) {
    this.#answer = answer;
  }

  answer(route: Route): void {
    this.#answer = route;
    this.#known.resolve();
  }

  prepare(): void {
    this.asked += 1;
  }

  route(): Route {
    return this.#answer;
  }

  settled(): Promise<void> {
    return this.#known.promise;
  }

  async fetch(): Promise<void> {}
  sentWrongBytes(): void {}
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('AskAhead', () => {
  it('ask() leaves the second source alone when the first has a route', async () => {
    const [first, second] = [new FakeSource('asking'), new FakeSource('asking')];
    new AskAhead([first, second], new ManualClock()).ask(WANT);
    expect([first.asked, second.asked]).toEqual([1, 0]);
    first.answer('yes');
    await turn();
    expect(second.asked).toBe(0);
  });

  it('ask() goes on when the first has none, at once when it knows so', async () => {
    const late = [new FakeSource('asking'), new FakeSource('asking')] as const;
    new AskAhead(late, new ManualClock()).ask(WANT);
    late[0].answer('no');
    await turn();
    expect(late[1].asked).toBe(1);
    const known = [new FakeSource('no'), new FakeSource('asking')] as const;
    new AskAhead(known, new ManualClock()).ask(WANT);
    expect(known[1].asked).toBe(1);
  });

  it('ask() waits no longer than the head start', async () => {
    const clock = new ManualClock();
    const [first, second] = [new FakeSource('asking'), new FakeSource('asking')];
    const ahead = new AskAhead([first, second], clock);
    ahead.ask(WANT);
    ahead.ask(WANT);
    expect(first.asked).toBe(1);
    await clock.advance(HEAD_START_MS);
    await turn();
    expect(second.asked).toBe(1);
    ahead.ask(WANT);
    expect(first.asked).toBe(2);
  });
});
