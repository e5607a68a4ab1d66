/**
 * `npm run bench:fleet`: real nodes, a real registry, links held to a rate, all on this machine. Needs root, iproute2 and Debian's
 * docker-registry; leaves nothing behind, however it ends. Results go to stdout (`--json`: one document), progress to stderr.
 *
 * ```
 * npm run bench:fleet -- --nodes 16 --link 100mbit --upstream 100mbit --blob 128MiB --json
 * npm run bench:fleet -- --scenario at-once,liar --rounds 3 --logs /tmp/logs
 * ```
 *
 * Exit status: 0 measured (whether the goals are met stands in the result), 1 not measured, 2 wrong options.
 */
import { messageOf } from '../../core/runtime/errors.ts';
import { benchFleet } from './fleet-bench.ts';
import { type FleetOptions, parseFleetOptions } from './options.ts';
import { fleetUnavailable } from './prerequisites.ts';
import { runInSandbox } from './sandbox.ts';
import { resultTable } from './table.ts';

/** The first argument of the process inside the namespaces; the folder on disk follows. */
const INSIDE = '--inside';

async function main(args: readonly string[]): Promise<number> {
  const [first, diskDirectory = '', ...rest] = args;
  const isInside = first === INSIDE;
  let options: FleetOptions;
  try {
    options = parseFleetOptions(isInside ? rest : args);
  } catch (error) {
    say(messageOf(error));
    return 2;
  }
  if (isInside) return measure(options, diskDirectory);
  const reason = fleetUnavailable();
  if (reason !== undefined) {
    say(`No fleet can be started: ${reason}`);
    return 1;
  }
  return runInSandbox({ program: import.meta.filename, args: (directory) => [INSIDE, directory, ...args] });
}

async function measure(options: FleetOptions, diskDirectory: string): Promise<number> {
  try {
    const report = await benchFleet(options, { diskDirectory, say });
    const text = options.json ? `${JSON.stringify(report, null, 2)}\n` : resultTable(report.runs);
    await new Promise((written) => process.stdout.write(text, written));
    return 0;
  } catch (error) {
    say(error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error));
    return 1;
  }
}

function say(text: string): void {
  process.stderr.write(`bench:fleet: ${text}\n`);
}

// As the first process of its namespace it takes all others with it.
process.exit(await main(process.argv.slice(2)));
