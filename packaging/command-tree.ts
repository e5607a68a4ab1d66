/** The command line as data, read from the program itself: what man pages and completions are written from. */
import { PassThrough } from 'node:stream';
import type { Command, Option } from 'commander';
import { createProgram } from '../cli/program.ts';
import type { Host } from '../cli/host.ts';

export interface CommandOption {
  /** As typed: `-h`, `--help`. */
  readonly flags: readonly string[];
  /** `<file>`, `[directory]`; undefined when it takes no value. */
  readonly value: string | undefined;
  readonly says: string;
  /** As help shows it; undefined when there is none. */
  readonly default: string | undefined;
  readonly choices: readonly string[];
}

export interface CommandArgument {
  /** `<ref>`, `[file]`, `<refs...>`. */
  readonly term: string;
  readonly says: string;
}

export interface CommandNode {
  /** What is typed to reach it: `['shoal', 'install', 'containerd']`. */
  readonly path: readonly string[];
  readonly says: string;
  readonly arguments: readonly CommandArgument[];
  readonly options: readonly CommandOption[];
  readonly commands: readonly CommandNode[];
}

/** The whole program. */
export function readCommandTree(): CommandNode {
  return nodeOf(createProgram({ host: silentHost(), finish: () => undefined }), []);
}

/** A command and all below it, in the order of help. */
export function withDescendants(node: CommandNode): CommandNode[] {
  return [node, ...node.commands.flatMap(withDescendants)];
}

function nodeOf(command: Command, above: readonly string[]): CommandNode {
  const path = [...above, command.name()];
  const help = command.createHelp();
  return {
    path,
    says: command.description(),
    arguments: help.visibleArguments(command).map((argument) => ({
      term: termOf(argument.name(), argument),
      says: argument.description,
    })),
    options: help.visibleOptions(command).map(optionOf),
    commands: help.visibleCommands(command).map((child) => nodeOf(child, path)),
  };
}

function termOf(name: string, { required, variadic }: { required: boolean; variadic: boolean }): string {
  const inner = variadic ? `${name}...` : name;
  return required ? `<${inner}>` : `[${inner}]`;
}

function optionOf(option: Option): CommandOption {
  const [, value] = /([<[].*[>\]])/.exec(option.flags) ?? [];
  const text =
    option.defaultValueDescription ?? (option.defaultValue === undefined ? undefined : `${option.defaultValue}`);
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    value,
    says: option.description,
    default: text === '' || option.defaultValue === false ? undefined : text,
    choices: option.argChoices ?? [],
  };
}

/** The program is asked what it has, and does nothing. */
function silentHost(): Host {
  return {
    args: [],
    env: {},
    hostName: 'localhost',
    pid: 0,
    out: new PassThrough(),
    err: new PassThrough(),
    onSignal: () => () => undefined,
  };
}
