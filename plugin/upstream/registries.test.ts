import { describe, expect, it } from '@jest/globals';
import { repositoriesOf } from './registries.ts';

const local = { host: '127.0.0.1:5000', url: 'http://127.0.0.1:5000', isConfigured: true };
const second = { host: '127.0.0.1:5001', url: 'http://127.0.0.1:5001', isConfigured: true };
const hub = { host: 'docker.io', url: 'https://mirror.example' };
const v6 = { host: '[::1]:5000', url: 'http://[::1]:5000', isConfigured: true };

function hosts(registry: string, endpoints = [local, second, hub, v6], allow: string[] = []): string[] {
  return repositoriesOf({ registry, repository: 'a/b' }, { endpoints, allow }).map(({ registry: { host } }) => host);
}

describe('repositoriesOf()', () => {
  it('takes the configured registry of that very name', () => {
    expect(hosts('127.0.0.1:5001')).toEqual(['127.0.0.1:5001']);
    expect(repositoriesOf({ registry: 'docker.io', repository: 'library/a' }, { endpoints: [hub], allow: [] })).toEqual(
      [{ registry: hub, name: 'library/a' }],
    );
  });

  it('takes every configured registry of a host when the name has no port, as containerd’s labels have none', () => {
    expect(hosts('127.0.0.1')).toEqual(['127.0.0.1:5000', '127.0.0.1:5001', '127.0.0.1']);
    expect(hosts('::1')).toEqual(['[::1]:5000', '::1']);
  });

  it('calls a guess what is one of several, or stands beside a configured one', () => {
    const guesses = (registry: string, endpoints = [local, second, hub, v6], isGuess = false) =>
      repositoriesOf({ registry, repository: 'a', ...(isGuess && { isGuess }) }, { endpoints, allow: [] })
        .filter((candidate) => candidate.isGuess)
        .map((candidate) => candidate.registry.host);
    expect(guesses('127.0.0.1')).toEqual(['127.0.0.1:5000', '127.0.0.1:5001', '127.0.0.1']);
    expect(guesses('127.0.0.1', [local])).toEqual(['127.0.0.1']);
    expect(guesses('127.0.0.1:5001')).toEqual([]);
    expect(guesses('registry.example', [])).toEqual([]);
    expect(guesses('127.0.0.1:5001', undefined, true)).toEqual(['127.0.0.1:5001']);
  });

  it('reaches others over https by their name, Docker Hub by its own', () => {
    const [found] = repositoriesOf(
      { registry: 'registry.example:5000', repository: 'a' },
      { endpoints: [], allow: [] },
    );
    expect(found?.registry).toEqual({ host: 'registry.example:5000', url: 'https://registry.example:5000' });
    for (const name of ['docker.io', 'index.docker.io', 'registry-1.docker.io']) {
      expect(repositoriesOf({ registry: name, repository: 'a' }, { endpoints: [], allow: [] })[0]?.registry).toEqual({
        host: 'docker.io',
        url: 'https://registry-1.docker.io',
      });
    }
  });

  it('leaves out what the allow list does not name', () => {
    expect(hosts('127.0.0.1', undefined, ['127.0.0.1:5001'])).toEqual(['127.0.0.1:5001']);
    expect(hosts('docker.io', undefined, ['127.0.0.1:5001'])).toEqual([]);
  });
});
