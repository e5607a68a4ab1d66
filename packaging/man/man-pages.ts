/** Man pages in roff (man(7)): one of the program, and one of each command. Pure. */
import { type CommandNode, type CommandOption, withDescendants } from '../command-tree.ts';

export interface ManPage {
  /** `shoal-install-containerd.1`. */
  readonly name: string;
  readonly text: string;
}

export interface ManEdition {
  readonly version: string;
  /** Seconds since 1970; its day is printed at the foot. */
  readonly epochSeconds: number;
}

const EXIT_CODES = [
  ['0', 'done'],
  ['1', 'failed'],
  ['2', 'typed or configured wrongly'],
  ['3', 'done in part; what is left is listed'],
] as const;

const FILES = [
  ['/etc/shoal/shoal.toml', 'configuration of the node; every key has a default'],
  ['/etc/shoal/warmer.toml', 'configuration of the warmer'],
  ['/run/shoal/content.sock', 'where containerd finds the content store, once shoal install containerd has told it'],
  ['/var/lib/shoal', 'small state; blobs lie below content.root'],
] as const;

/** Every page, the program's own first. */
export function manPages(program: CommandNode, edition: ManEdition): ManPage[] {
  return withDescendants(program).map((command) => ({
    name: `${pageName(command)}.1`,
    text: pageOf(command, program, edition),
  }));
}

function pageOf(command: CommandNode, program: CommandNode, edition: ManEdition): string {
  const day = new Date(edition.epochSeconds * 1000).toISOString().slice(0, 10);
  const name = pageName(command);
  const parts = [
    `.TH ${name.toUpperCase().replaceAll('-', '\\-')} 1 ${day} "shoal ${edition.version}" "User Commands"`,
    section('NAME', `${escaped(name)} \\- ${escaped(command.says)}`),
    section('SYNOPSIS', synopsis(command)),
    ...(command.arguments.length > 0
      ? [section('ARGUMENTS', command.arguments.map(({ term, says }) => item(italic(term), says)).join('\n'))]
      : []),
    ...(command.options.length > 0 ? [section('OPTIONS', command.options.map(optionItem).join('\n'))] : []),
    ...(command.commands.length > 0 ? [section('COMMANDS', command.commands.map(commandItem).join('\n'))] : []),
    section('EXIT STATUS', EXIT_CODES.map(([code, says]) => item(bold(code), says)).join('\n')),
    ...(command === program
      ? [section('FILES', FILES.map(([file, says]) => item(italic(file), says)).join('\n'))]
      : []),
    section(
      'SEE ALSO',
      seeAlso(command, program)
        .map((page) => `.BR ${escaped(page)} (1)`)
        .join(',\n'),
    ),
  ];
  return `${parts.join('\n')}\n`;
}

function pageName(command: CommandNode): string {
  return command.path.join('-');
}

function synopsis(command: CommandNode): string {
  const words = [
    bold(command.path.join(' ')),
    ...(command.options.length > 0 ? [`[${italic('option')}...]`] : []),
    ...command.arguments.map(({ term }) => italic(term)),
    ...(command.commands.length > 0 ? [italic('command')] : []),
  ];
  return words.join(' ');
}

function optionItem({ flags, value, says, default: initial }: CommandOption): string {
  const typed = flags.map(bold).join(', ') + (value === undefined ? '' : ` ${italic(value)}`);
  return item(typed, initial === undefined ? says : `${says} (default: ${initial})`);
}

function commandItem(command: CommandNode): string {
  return `.TP\n.BR ${escaped(pageName(command))} (1)\n${escaped(command.says)}`;
}

/** Neighbours: what is above, and what stands beside. */
function seeAlso(command: CommandNode, program: CommandNode): string[] {
  const parent = command.path.slice(0, -1).join('-');
  const beside = withDescendants(program).filter(
    (other) => other.path.slice(0, -1).join('-') === parent && other !== command,
  );
  const pages = [parent, ...beside.map(pageName)].filter((page) => page !== '');
  return pages.length > 0 ? pages : ['systemctl'];
}

function section(title: string, body: string): string {
  return `.SH ${title}\n${body}`;
}

function item(term: string, says: string): string {
  return `.TP\n${term}\n${escaped(says)}`;
}

function bold(text: string): string {
  return `\\fB${escaped(text)}\\fR`;
}

function italic(text: string): string {
  return `\\fI${escaped(text)}\\fR`;
}

/** Backslashes, hyphens that are minus signs, and a first character that roff would take for a request. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(['.])/gm, '\\&$1');
}
