/** Many asked, some at once, each answer as it comes. */

/** @throws what `ask` throws; nobody else is asked then */
export async function* asTheyCome<T, R>(
  asked: readonly T[],
  ask: (one: T) => Promise<R>,
  { atOnce, signal }: { atOnce: number; signal: AbortSignal },
): AsyncGenerator<R, void> {
  const waiting = asked.values();
  const running = new Map<number, Promise<{ key: number; answer: R }>>();
  let key = 0;
  for (;;) {
    signal.throwIfAborted();
    while (running.size < atOnce) {
      const next = waiting.next();
      if (next.done) break;
      const own = key;
      running.set(
        own,
        ask(next.value).then((answer) => ({ key: own, answer })),
      );
      key += 1;
    }
    if (running.size === 0) return;
    const { key: done, answer } = await Promise.race(running.values());
    running.delete(done);
    yield answer;
  }
}
