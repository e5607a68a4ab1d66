/** `shoal members`: the mesh as a node sees it. */
import { formatHostPort } from '../core/runtime/config-address.ts';
import { type AdminOptions, createAdminClient, withAdminOptions } from './admin-client.ts';
import { type Fields, fieldsOf, numberIn, textIn } from './json-fields.ts';
import { printJson, printTable } from './print.ts';
import type { AddCommand } from './program.ts';

export const addMembers: AddCommand = (program, { host }) => {
  withAdminOptions(program.command('members').description('list the members of the mesh, as a node sees them'))
    .option('--json', 'print one JSON document')
    .action(async (options: AdminOptions & { json?: true }) => {
      const rows = await Array.fromAsync((await createAdminClient(options)).lines('/api/v1/members'));
      if (options.json) printJson(host, { members: rows });
      else if (rows.length === 0) host.out.write('This node is in no mesh: mesh.enabled is false\n');
      else
        printTable(
          host,
          ['NAME', 'ADDRESS', 'STATE', 'ZONE', 'MODE', 'VERSION'],
          rows.map((row) => cells(fieldsOf(row))),
        );
    });
};

function cells(member: Fields): string[] {
  const address = formatHostPort({ host: textIn(member, 'address'), port: numberIn(member, 'port') });
  const known = [textIn(member, 'name'), address, textIn(member, 'state')];
  if (member.node === null) return [...known, '', '(no Shoal node)', ''];
  const node = fieldsOf(member.node);
  return [...known, textIn(node, 'zone'), textIn(node, 'mode'), textIn(node, 'version')];
}
