/** `shoal doctor` on a real containerd and its real configuration: what is wrong with the two of them, provoked for once each. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { containerdMethods } from '../../plugin/containerd/containerd-services.ts';
import { containerdConfig } from '../support/containerd/containerd-config.ts';
import { runCommand } from '../support/debian/run-command.ts';
import { type Diagnosis, diagnose } from '../support/doctor/diagnose.ts';
import { describeVersions } from '../support/node/describe-versions.ts';
import { type Pair, startPair } from '../support/node/pair.ts';

const DEADLINE_MS = 120_000;

describeVersions('doctor', (version) => {
  let pair: Pair;
  const scenario = (title: string, work: () => Promise<void>) => it(title, work, DEADLINE_MS);
  const file = (name: string) => join(pair.node.directory, name);

  beforeAll(async () => {
    pair = await startPair({ containerd: { version, cri: true }, node: { registries: [] } });
  }, DEADLINE_MS);

  afterAll(async () => pair?.stop(), DEADLINE_MS);

  /** With one of the two configurations changed. */
  async function changed(change: {
    shoal?: (text: string) => string;
    containerd?: (text: string) => string;
  }): Promise<Diagnosis> {
    const [config, containerdConfig] = [file('changed.toml'), file('changed-containerd.toml')];
    const same = (text: string) => text;
    await writeFile(config, (change.shoal ?? same)(await readFile(pair.node.configFile, 'utf8')));
    await writeFile(containerdConfig, (change.containerd ?? same)(await readFile(pair.containerd.configFile, 'utf8')));
    return diagnose({ config, containerdConfig });
  }

  scenario('finds nothing wrong where all is well', async () => {
    const { of, exitCode, healthy } = await diagnose({
      config: pair.node.configFile,
      containerdConfig: pair.containerd.configFile,
    });
    const fine = [
      'configuration',
      'containerd version',
      'content store',
      'plugin socket',
      'containerd socket',
      'content sharing',
      'daemon',
    ];
    for (const check of [...fine, 'content directory', 'disk space', 'hosts.toml', 'limits'])
      expect(of(check)).toMatchObject({ level: 'ok' });
    // Told by the containerd that runs, which need not be the one in PATH.
    expect(of('containerd version').says).toContain(
      version.startsWith('2.') ? 'containerd 2.' : `containerd ${version}.`,
    );
    expect([exitCode, healthy]).toEqual([0, true]);
  });

  scenario('finds a plugin that is not configured', async () => {
    const { of } = await changed({ containerd: (text) => text.replace(/\[proxy_plugins\.shoal\][^[]*/, '') });
    expect(of('content store')).toMatchObject({ level: 'warning', fix: 'shoal install containerd' });
  });

  scenario('finds two content stores, by the built-in one and by another plugin', async () => {
    const both = await changed({
      containerd: (text) => text.replace('"io.containerd.content.v1.content"', '"io.containerd.none.v1.x"'),
    });
    expect(both.of('content store')).toMatchObject({
      level: 'problem',
      says: expect.stringContaining('built-in'),
      fix: 'shoal install containerd',
    });
    expect([both.exitCode, both.healthy]).toEqual([1, false]);
    const other = '\n[proxy_plugins.other]\ntype = "content"\naddress = "/run/other.sock"\n';
    const two = await changed({
      containerd: (text) => text.replace('\n[proxy_plugins.shoal]', `${other}\n[proxy_plugins.shoal]`),
    });
    expect(two.of('content store')).toMatchObject({
      level: 'problem',
      fix: expect.stringContaining('proxy_plugins.other'),
    });
  });

  scenario('finds sockets that are wrong: ours in their configuration, theirs in ours', async () => {
    const elsewhere = await changed({
      containerd: (text) => text.replace(pair.node.contentSocket, '/run/elsewhere.sock'),
    });
    expect(elsewhere.of('content store')).toMatchObject({
      level: 'problem',
      says: expect.stringContaining('/run/elsewhere.sock'),
    });
    const theirs = await changed({ shoal: (text) => text.replace(pair.containerd.socket, '/run/nobody.sock') });
    expect(theirs.of('containerd socket')).toMatchObject({
      level: 'problem',
      fix: expect.stringContaining(`content.containerd = "${pair.containerd.socket}"`),
    });
  });

  scenario('finds isolated content, in a configuration that containerd itself takes', async () => {
    const isolated = (text: string) =>
      `${text}\n[plugins."io.containerd.metadata.v1.bolt"]\ncontent_sharing_policy = "isolated"\n`;
    const { of } = await changed({ containerd: isolated });
    expect(of('content sharing')).toMatchObject({
      level: 'warning',
      fix: expect.stringContaining('content_sharing_policy = "shared"'),
    });
    // What is written is what containerd reads.
    expect(isolated(containerdConfig({ version, directory: '/x', snapshotter: 'native' }))).toContain(
      containerdConfig({ version, directory: '/x', snapshotter: 'native', contentSharing: 'isolated' }).match(
        /content_sharing_policy.*/,
      )?.[0],
    );
  });

  scenario('finds a containerd older than 1.6, by what it says over its socket', async () => {
    const socket = file('old.sock');
    const server = new Server();
    const { path, requestDeserialize, requestSerialize, responseSerialize, responseDeserialize } =
      containerdMethods().version;
    server.addService(
      {
        version: {
          path,
          requestStream: false,
          responseStream: false,
          requestDeserialize,
          requestSerialize,
          responseSerialize,
          responseDeserialize,
        },
      },
      {
        version: (_call: unknown, answer: (error: null, reply: object) => void) =>
          answer(null, { version: '1.5.18', revision: 'x' }),
      },
    );
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      );
    });
    try {
      const { of } = await changed({ shoal: (text) => text.replace(pair.containerd.socket, socket) });
      expect(of('containerd version')).toEqual({
        check: 'containerd version',
        level: 'problem',
        says: 'containerd 1.5.18 is older than 1.6',
        fix: 'Upgrade containerd to 1.6 or later',
      });
    } finally {
      server.forceShutdown();
    }
  });

  scenario('finds hosts.toml that points elsewhere, that nobody reads, and a registry past the mirror', async () => {
    const hosts = file('certs.d');
    await runCommand('mkdir', ['-p', join(hosts, '_default'), join(hosts, 'r.example')]);
    const write = (name: string, text: string) => writeFile(join(hosts, name, 'hosts.toml'), text);
    const mirror = (text: string) => text.replace('[mirror]\nlisten = ""', '[mirror]\nlisten = "127.0.0.1:7949"');
    const registry = version.startsWith('2.') ? 'io.containerd.cri.v1.images' : 'io.containerd.grpc.v1.cri';
    const configPath = (text: string) => `${text}\n[plugins."${registry}".registry]\nconfig_path = "${hosts}"\n`;
    const look = async () => (await changed({ shoal: mirror, containerd: configPath })).of('hosts.toml');
    await write('_default', '[host."http://127.0.0.1:5999"]\n');
    expect(await look()).toMatchObject({
      level: 'problem',
      says: expect.stringContaining('http://127.0.0.1:5999'),
      fix: expect.stringContaining('shoal install containerd --hosts'),
    });
    await write('_default', '[host."http://127.0.0.1:7949"]\n');
    await write('r.example', 'server = "https://r.example"\n[host."https://cache.example"]\n');
    expect(await look()).toMatchObject({ level: 'warning', says: expect.stringContaining('r.example/hosts.toml') });
    await runCommand('rm', [join(hosts, 'r.example/hosts.toml')]);
    expect(await look()).toMatchObject({ level: 'ok' });
  });

  scenario('finds a daemon that is gone', async () => {
    await pair.node.terminate();
    const { of } = await diagnose({ config: pair.node.configFile, containerdConfig: pair.containerd.configFile });
    expect(of('plugin socket')).toMatchObject({ level: 'problem', fix: 'systemctl start shoal' });
    expect(of('daemon')).toMatchObject({ level: 'problem', fix: expect.stringContaining('systemctl start shoal') });
  });
});
