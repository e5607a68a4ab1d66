/** The command line as a whole: what is typed finds its command, and what a command throws finds its exit code. */
import { Command, CommanderError } from 'commander';
import { messageOf } from '../core/runtime/errors.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
import type { Host } from './host.ts';
import { addBlobs } from './blobs.ts';
import { addDoctor } from './doctor.ts';
import { addExport } from './export.ts';
import { addImport } from './import.ts';
import { addInstall } from './install.ts';
import { addKeygen } from './keygen.ts';
import { addMembers } from './members.ts';
import { addPull } from './pull.ts';
import { addDemo } from './demo.ts';
import { addServe } from './serve.ts';
import { addStatus } from './status.ts';
import { addSwarms } from './swarms.ts';
import { addUninstall } from './uninstall.ts';
import { addWarm } from './warm.ts';
import { VERSION } from './version.ts';

/** What each command's file needs to add itself. */
export interface CommandContext {
  readonly host: Host;
  /** Sets the exit code of a command that ended without throwing; `EXIT.done` unless called. */
  finish(code: ExitCode): void;
}

export type AddCommand = (program: Command, context: CommandContext) => void;

const COMMANDS: readonly AddCommand[] = [
  addDemo,
  addServe,
  addStatus,
  addMembers,
  addBlobs,
  addSwarms,
  addPull,
  addImport,
  addExport,
  addWarm,
  addDoctor,
  addInstall,
  addUninstall,
  addKeygen,
];

const EXIT_CODES = '\nExit codes: 0 done, 1 failed, 2 typed or configured wrongly, 3 done in part';

/** Runs the command that `host.args` names, to its end. */
export async function runCli(host: Host): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  const program = createProgram({ host, finish: (code) => (exitCode = code) });
  try {
    await program.parseAsync(host.args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUsage;
    for (const line of linesOf(error)) host.err.write(`shoal: ${line}\n`);
    return exitCodeOf(error);
  }
}

/** Everything that can be typed; man pages and completions are written from it too. */
export function createProgram(context: CommandContext): Command {
  const { host } = context;
  const program = new Command('shoal')
    .description("Image distribution for container fleets: containerd's content store, fed from registries")
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print what can be typed')
    .helpCommand(false)
    .showHelpAfterError('(--help shows what can be typed)')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.out.write(text),
      writeErr: (text) => host.err.write(text),
      getOutHelpWidth: () => host.out.columns ?? 80,
      getErrHelpWidth: () => host.err.columns ?? 80,
    });
  for (const add of COMMANDS) add(program, context);
  return program;
}

function linesOf(error: unknown): string[] {
  const inner = error instanceof AggregateError ? error.errors.flatMap(linesOf) : [];
  return [...messageOf(error).split('\n'), ...inner];
}
