/** How a link is held to its rate: arguments of `tc`. Pure. */

/** What a switch or a network card queues before it drops, as time on the link. */
const QUEUE_MS = 50;
/** So much may pass at once, as time on the link. */
const BURST_MS = 5;
/** One TCP segment as the kernel passes it on before it is cut (64 KiB and headers); a smaller bucket would cut it in software. */
const BURST_BYTES_MIN = 68 * 1024;

/** `qdisc replace` of a device that then sends no more than so many bytes a second (tc-tbf(8)). */
export function shapeArguments(device: string, bytesPerSecond: number): string[] {
  const burst = Math.max(BURST_BYTES_MIN, Math.round((bytesPerSecond * BURST_MS) / 1000));
  return [
    ...['qdisc', 'replace', 'dev', device, 'root', 'tbf'],
    ...['rate', `${Math.round(bytesPerSecond * 8)}bit`, 'burst', `${burst}b`, 'latency', `${QUEUE_MS}ms`],
  ];
}
