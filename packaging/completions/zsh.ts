/** What zsh completes (zshcompsys(1), `_arguments` and `_describe`). Pure. */
import { type CommandNode, type CommandOption, withDescendants } from '../command-tree.ts';
import { takesFile, takesValue } from './completed-values.ts';

/** One function for each command; `_shoal` is the program's. */
export function zshCompletion(program: CommandNode): string {
  const name = program.path[0] ?? '';
  const functions = withDescendants(program).map(functionOf).join('\n');
  return `#compdef ${name}
# zsh completion for ${name}; written from the program itself, edits are lost
${functions}
if [ "$funcstack[1]" = "_${name}" ]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function functionOf(command: CommandNode): string {
  const options = command.options.map((option) => `    ${optionSpec(option)} \\\n`).join('');
  if (command.commands.length === 0)
    return `${functionName(command)}() {\n  _arguments \\\n${options}    '*::file:_files'\n}`;
  return `${functionName(command)}() {
  local -a commands
  local state line
  commands=(
${command.commands.map((child) => `    ${quoted(`${child.path.at(-1)}:${child.says.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  _arguments -C \\
${options}    '1:command:->command' \\
    '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $line[1] in
${command.commands.map((child) => `        ${child.path.at(-1)}) ${functionName(child)} ;;`).join('\n')}
      esac
      ;;
  esac
}`;
}

function functionName({ path }: CommandNode): string {
  return `_${path.join('_').replaceAll('-', '_')}`;
}

function optionSpec(option: CommandOption): string {
  const { flags, says } = option;
  const description = `[${says.replaceAll(/([[\]\\])/g, '\\$1')}]${valueSpec(option)}`;
  if (flags.length === 1) return `${flags[0]}${quoted(description)}`;
  return `${quoted(`(${flags.join(' ')})`)}{${flags.join(',')}}${quoted(description)}`;
}

function valueSpec(option: CommandOption): string {
  if (!takesValue(option)) return '';
  const name = (option.value ?? '').replaceAll(/[^\w/]/g, '');
  if (option.choices.length > 0) return `:${name}:(${option.choices.join(' ')})`;
  return `:${name}:${takesFile(option) ? '_files' : ' '}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
