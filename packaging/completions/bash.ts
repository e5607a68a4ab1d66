/** What bash completes (bash(1), Programmable Completion). Pure. */
import { type CommandNode, withDescendants } from '../command-tree.ts';
import { takesFile, takesValue } from './completed-values.ts';

/** Needs no bash-completion package; words of commands are followed as far as they are typed. */
export function bashCompletion(program: CommandNode): string {
  const commands = withDescendants(program);
  const name = program.path[0] ?? '';
  return `# bash completion for ${name}; written from the program itself, edits are lost
_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path=${name} word words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${commands
  .slice(1)
  .map(({ path }) => `      ${quoted(path.join(' '))}) path=${quoted(path.join(' '))} ;;`)
  .join('\n')}
    esac
  done
  case "$path $prev" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case "$path" in
${commands.map((command) => `    ${quoted(command.path.join(' '))}) words=${quoted(wordsOf(command).join(' '))} ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [ \${#COMPREPLY[@]} -eq 0 ] && [[ $cur != -* ]]; then COMPREPLY=($(compgen -f -- "$cur")); fi
}
complete -o filenames -F _${name} ${name}
`;
}

function valueCases(command: CommandNode): string[] {
  return command.options.filter(takesValue).map((option) => {
    const pattern = option.flags.map((flag) => quoted(`${command.path.join(' ')} ${flag}`)).join(' | ');
    const reply = takesFile(option)
      ? 'COMPREPLY=($(compgen -f -- "$cur"))'
      : `COMPREPLY=($(compgen -W ${quoted(option.choices.join(' '))} -- "$cur"))`;
    return `    ${pattern}) ${reply}; return ;;`;
  });
}

function wordsOf({ commands, options }: CommandNode): string[] {
  return [...commands.map(({ path }) => path.at(-1) ?? ''), ...options.flatMap(({ flags }) => flags)];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
