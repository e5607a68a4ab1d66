/** What fish completes (https://fishshell.com/docs/current/completions.html). Pure. */
import { type CommandNode, type CommandOption, withDescendants } from '../command-tree.ts';
import { takesFile, takesValue } from './completed-values.ts';

/** One line for each word that can be typed, with what it does. */
export function fishCompletion(program: CommandNode): string {
  const name = program.path[0] ?? '';
  const lines = withDescendants(program).flatMap((command) => linesOf(command, name));
  return `# fish completion for ${name}; written from the program itself, edits are lost\n${lines.join('\n')}\n`;
}

function linesOf(command: CommandNode, name: string): string[] {
  const here = condition(command);
  const commands = command.commands.map(
    (child) =>
      `complete -c ${name} -n ${quoted(here)} -f -a ${quoted(child.path.at(-1) ?? '')} -d ${quoted(child.says)}`,
  );
  return [
    ...commands,
    ...command.options.map((option) => `complete -c ${name} -n ${quoted(here)} ${optionWords(option)}`),
  ];
}

/** True where this command has been typed and none below it. */
function condition({ path, commands }: CommandNode): string {
  const above = path.slice(1).map((word) => `__fish_seen_subcommand_from ${word}`);
  const below = commands.map((child) => child.path.at(-1)).join(' ');
  const none = below === '' ? [] : [`not __fish_seen_subcommand_from ${below}`];
  const all = [...above, ...none];
  return all.length === 0 ? 'true' : all.join('; and ');
}

function optionWords(option: CommandOption): string {
  const flags = option.flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const value = takesValue(option) ? [takesFile(option) ? '-r -F' : '-x'] : [];
  const choices = option.choices.length > 0 ? [`-a ${quoted(option.choices.join(' '))}`] : [];
  return [...flags, ...value, ...choices, `-d ${quoted(option.says)}`].join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
