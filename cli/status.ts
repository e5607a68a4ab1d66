/** `shoal status`: what a node says about itself. */
import { systemClock } from '../core/runtime/clock.ts';
import { formatBytes, formatDuration } from '../core/runtime/units.ts';
import { type AdminOptions, createAdminClient, withAdminOptions } from './admin-client.ts';
import { type Fields, fieldsOf, numberIn, textIn, textsIn } from './json-fields.ts';
import { printJson } from './print.ts';
import type { AddCommand } from './program.ts';

export const addStatus: AddCommand = (program, { host }) => {
  withAdminOptions(program.command('status').description('show what a node says about itself'))
    .option('--json', 'print one JSON document')
    .action(async (options: AdminOptions & { json?: true }) => {
      const status = await (await createAdminClient(options)).get('/api/v1/status');
      if (options.json) printJson(host, status);
      else host.out.write(statusText(fieldsOf(status), systemClock.now()));
    });
};

/** One line for each thing, the same names as in the configuration. Pure. */
export function statusText(status: Fields, nowMs: number): string {
  const content = fieldsOf(status.content);
  const store = fieldsOf(status.store);
  const holds = fieldsOf(store.bytes_by_hold);
  const size = (fields: Fields, key: string) => formatBytes(numberIn(fields, key));
  const upMs = nowMs - Date.parse(textIn(status, 'started_at'));
  const rows = [
    ['node', status.zone === '' ? textIn(status, 'name') : `${textIn(status, 'name')} in ${textIn(status, 'zone')}`],
    ['ready', status.ready === true ? 'yes' : `no: ${textIn(status, 'reason')}`],
    ['version', `${textIn(status, 'version')}, up ${formatDuration(Math.floor((upMs || 0) / 1000) * 1000)}`],
    ['content', content.socket === null ? 'off' : textIn(content, 'socket')],
    ['root', textIn(content, 'root')],
    [
      'claims',
      `${textIn(content, 'claim')}; ${numberIn(status, 'claims')} open; containerd ${textIn(content, 'containerd')}`,
    ],
    ['flights', String(numberIn(status, 'flights'))],
    ['mesh', meshText(status.mesh)],
    ['blobs', `${numberIn(store, 'blobs')}, ${size(store, 'bytes')}`],
    [
      'held by',
      `containerd ${size(holds, 'containerd')}, cache ${size(holds, 'cache')} of ${size(store, 'capacity_bytes')}, pins ${size(holds, 'pin')}${pinsText(status.pins)}`,
    ],
    ['disk free', size(store, 'free_bytes')],
  ];
  return rows.map(([name = '', value]) => `${name.padEnd(10)} ${value}\n`).join('');
}

function pinsText(value: unknown): string {
  const pins = fieldsOf(value);
  return typeof pins.until === 'string' ? ` (${numberIn(pins, 'count')}, the last until ${pins.until})` : '';
}

function meshText(value: unknown): string {
  if (value === null || value === undefined) return 'off';
  const mesh = fieldsOf(value);
  const members = Object.entries(fieldsOf(mesh.members)).map(([state, count]) => `${count} ${state}`);
  const seal = mesh.sealed === true ? 'sealed' : mesh.insecure === true ? 'not sealed' : 'no key, so on loopback only';
  const banned = textsIn(mesh, 'banned');
  return [members.join(', '), seal, ...(banned.length > 0 ? [`banned: ${banned.join(', ')}`] : [])].join('; ');
}
