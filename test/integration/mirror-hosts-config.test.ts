/** What `install containerd --hosts` writes into containerd's configuration, read by each real containerd. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setHostsDirectory, unsetHostsDirectory } from '../../cli/install/hosts-config-edit.ts';
import { CONTAINERD_VERSIONS, programDirectory, unavailable } from '../support/containerd/versions.ts';
import { runCommand } from '../support/debian/run-command.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';

const DIRECTORY = '/etc/containerd/certs.d';

describe.each(CONTAINERD_VERSIONS)('config_path in the configuration of containerd %s', (version) => {
  const reason = unavailable(version);
  if (reason !== undefined) process.stderr.write(`config_path with containerd ${version} is not tested: ${reason}\n`);
  let directory = '';
  beforeAll(async () => {
    directory = await makeTestDirectory('shoal-hosts-');
  });
  afterAll(() => removeTestDirectory(directory));

  const containerd = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await runCommand(join(programDirectory(version), 'containerd'), args);
    if (exitCode !== 0) throw new Error(`containerd ${args.join(' ')}: ${stderr}`);
    return stdout;
  };

  (reason === undefined ? it : it.skip).each([
    ['where there is none', async () => ''],
    ['in its own defaults', () => containerd('config', 'default')],
  ])('is what it looks for %s, and every byte comes back', async (_where, before) => {
    const text = await before();
    const file = join(directory, 'config.toml');
    const edit = setHostsDirectory(text, file, DIRECTORY);
    if (edit.kind === 'refused') throw new Error(edit.reason);
    await writeFile(file, edit.text);
    const dumped = await containerd('--config', file, 'config', 'dump');
    expect(/^ *config_path = ["'](.*)["']$/m.exec(dumped)?.[1]).toBe(DIRECTORY);
    if (text !== '') expect(unsetHostsDirectory(await readFile(file, 'utf8'), file)).toBe(text);
  });
});
