/** `shoal swarms`: the blobs that a node is downloading together with others. */
import { formatBytes } from '../core/runtime/units.ts';
import { type AdminOptions, createAdminClient, withAdminOptions } from './admin-client.ts';
import { type Fields, fieldsOf, numberIn, textIn, textsIn } from './json-fields.ts';
import { printJson, printTable } from './print.ts';
import type { AddCommand } from './program.ts';

export const addSwarms: AddCommand = (program, { host }) => {
  withAdminOptions(program.command('swarms').description('list the blobs that a node downloads together with others'))
    .option('--json', 'print one JSON document')
    .action(async (options: AdminOptions & { json?: true }) => {
      const rows = await Array.fromAsync((await createAdminClient(options)).lines('/api/v1/swarms'));
      if (options.json) printJson(host, { swarms: rows });
      else if (rows.length === 0) host.out.write('No swarm runs\n');
      else
        printTable(
          host,
          HEAD,
          rows.map((row) => cells(fieldsOf(row))),
        );
    });
};

const HEAD = ['DIGEST', 'SIZE', 'PIECES', 'FROM PEERS', 'FROM SOURCE', 'NEIGHBOURS', 'OWNER'];

function cells(swarm: Fields): string[] {
  const size = (key: string) => formatBytes(numberIn(swarm, key));
  const pieces = `${numberIn(swarm, 'pieces_here')}/${numberIn(swarm, 'pieces')}`;
  const neighbours = textsIn(swarm, 'neighbours').length;
  const owner = swarm.owner === null ? 'none' : textIn(swarm, 'owner');
  return [
    textIn(swarm, 'digest'),
    size('size'),
    pieces,
    size('bytes_from_peers'),
    size('bytes_from_source'),
    `${neighbours}`,
    owner,
  ];
}
