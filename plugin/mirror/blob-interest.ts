/** Downloads that clients of the mirror wait for: each client's interest ends when it goes away. */
import type { ContentFetcher, Flight } from '../content/content.ts';
import type { Want } from '../content/blob-source.ts';

/**
 * Starts or joins a download.
 * @param giveUpMs without a new byte for so long it fails
 * @returns the flight, and what ends this client's interest in it, also when it is called twice
 */
export function fetchFor(content: ContentFetcher, want: Want, giveUpMs: number): { flight: Flight; leave: () => void } {
  const flight = content.fetch(want, 'cache', { giveUpMs });
  let isWanted = true;
  const end = () => {
    isWanted = false;
  };
  flight.done.then(end, end);
  const leave = () => {
    if (isWanted) content.unwant(want.digest, 'cache');
    isWanted = false;
  };
  return { flight, leave };
}
