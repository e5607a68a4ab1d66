/** `shoal keygen`: a new key for the mesh. */
import { randomBytes } from 'node:crypto';
import { printJson } from './print.ts';
import type { AddCommand } from './program.ts';

/** AES-256, the largest that memberlist takes. */
const KEY_BYTES = 32;

export const addKeygen: AddCommand = (program, { host }) => {
  program
    .command('keygen')
    .description('print a new mesh key (32 random bytes, base64), for mesh.key_file')
    .option('--json', 'print one JSON document')
    .action((options: { json?: true }) => {
      const key = randomBytes(KEY_BYTES).toString('base64');
      if (options.json) printJson(host, { key });
      else host.out.write(`${key}\n`);
    });
};
