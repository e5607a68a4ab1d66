import { describe, expect, it } from '@jest/globals';
import { parseNodeConfig } from '../config.ts';
import { reloadable } from './reload.ts';

function parse(text: string) {
  return parseNodeConfig({ text, file: 's.toml', env: {}, hostName: 'h' });
}

describe('reloadable()', () => {
  it('says nothing when nothing changed', () => {
    const config = parse('[node]\nname = "a"');
    expect(reloadable(config, parse('[node]\nname = "a"'))).toMatchObject({ applied: [], refused: [], config });
  });

  it('applies what it can and names what it cannot, as the file spells it', () => {
    const before = parse('[[upstream.registry]]\nhost = "a"');
    const after = parse(
      '[log]\nlevel = "debug"\n[store]\nmin_free = "1GiB"\n[upstream]\nconcurrency = 2\n[node]\nname = "b"',
    );
    const { config, applied, refused } = reloadable(before, after);
    expect(applied.toSorted()).toEqual(['log.level', 'upstream.concurrency', 'upstream.registry']);
    expect(refused.toSorted()).toEqual(['node.name', 'store.min_free']);
    expect(config).toMatchObject({
      node: { name: 'h' },
      store: { minFreeBytes: 5 * 2 ** 30 },
      log: { level: 'debug' },
      upstream: { concurrency: 2, registries: [] },
    });
  });

  it('takes over what the mirror may change while it runs, and leaves where it listens to a restart', () => {
    const { config, applied, refused } = reloadable(
      parse(''),
      parse('[mirror]\nauthorize = "caller"\nstale_tags = "never"\nlisten = "127.0.0.1:7000"'),
    );
    expect(applied.toSorted()).toEqual(['mirror.authorize', 'mirror.stale_tags']);
    expect(refused).toEqual(['mirror.listen']);
    expect(config.mirror).toMatchObject({ authorize: 'caller', staleTags: 'never', listen: { port: 7949 } });
  });

  it('leaves where credentials are read from to a restart', () => {
    const { config, refused } = reloadable(
      parse(''),
      parse('[upstream]\ndocker_config = "/etc/other.json"\nconcurrency = 3'),
    );
    expect(refused).toEqual(['upstream.docker_config']);
    expect(config.upstream).toMatchObject({ concurrency: 3, dockerConfig: parse('').upstream.dockerConfig });
  });
});
