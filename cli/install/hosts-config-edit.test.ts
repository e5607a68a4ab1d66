import { describe, expect, it } from '@jest/globals';
import { setHostsDirectory, unsetHostsDirectory } from './hosts-config-edit.ts';

const FILE = 'config.toml';
const CRI = '[plugins."io.containerd.grpc.v1.cri".registry]';
/** As `containerd config default` of 1.6 writes it. */
const DEFAULTS = `version = 2

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    [plugins."io.containerd.grpc.v1.cri".registry]
      config_path = ""

      [plugins."io.containerd.grpc.v1.cri".registry.configs]

      [plugins."io.containerd.grpc.v1.cri".registry.mirrors]
`;

function set(text: string): string {
  const edit = setHostsDirectory(text, FILE, '/etc/certs');
  return edit.kind === 'text' ? edit.text : `refused: ${edit.reason}`;
}

describe('setHostsDirectory()', () => {
  it.each([
    ['an empty value', DEFAULTS, 'config_path = "/etc/certs"  # was "" before shoal install'],
    ['single quotes', DEFAULTS.replace('""', "''"), "# was '' before"],
    ['a registry table without it', `version = 2\n${CRI}\nfoo = "bar"\n`, 'config_path = "/etc/certs"  # added'],
    ['no registry table', 'version = 2\nroot = "/x"\n', CRI],
    ['version 3', 'version = 3\nroot = "/x"', '[plugins."io.containerd.cri.v1.images".registry]'],
    ['Windows line breaks', 'version = 2\r\nroot = "/x"\r\n', '\r\n  config_path = "/etc/certs"'],
  ])('sets it, and unsetHostsDirectory() gives every byte back, when there is %s', (_title, text, wanted) => {
    const edited = set(text);
    expect(edited).toContain(wanted);
    expect(unsetHostsDirectory(edited, FILE)).toBe(text);
  });

  it('writes a whole file when there is none', () => {
    expect(set('')).toBe(
      `# Written by shoal install, which found no setting here\nversion = 2\n\n${CRI}  # added by shoal install\n` +
        '  config_path = "/etc/certs"  # added by shoal install\n',
    );
  });

  it.each([
    ['mirrors', `version = 2\n${CRI.replace(']', '.mirrors."x.example"]')}\nendpoint = ["http://y"]\n`, 'mirrors'],
    ['TLS settings', `version = 2\n${CRI.replace(']', '.configs."x".tls]')}\ninsecure_skip_verify = true\n`, 'tls'],
    ['an inline table', 'version = 2\nplugins = { a = 1 }\n', 'nothing can be added'],
    ['no version', 'root = "/x"\n', 'version 1'],
  ])('refuses when there are %s', (_title, text, reason) => {
    expect(set(text)).toMatch(/^refused: /);
    expect(set(text)).toContain(reason);
  });
});

describe('unsetHostsDirectory()', () => {
  it('leaves what others have set, and what others have added to our table', () => {
    const theirs = `version = 2\n${CRI}\nconfig_path = "/theirs"\n`;
    expect(unsetHostsDirectory(theirs, FILE)).toBe(theirs);
    const shared = `${set('version = 2\n')}  other = 1\n`;
    expect(unsetHostsDirectory(shared, FILE)).toContain('  other = 1\n');
    expect(unsetHostsDirectory(shared, FILE)).not.toContain('config_path');
  });
});
