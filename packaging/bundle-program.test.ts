import { describe, expect, it } from '@jest/globals';
import { fromTheBundle } from './bundle-program.ts';

describe('fromTheBundle()', () => {
  it('names files as seen from lib/shoal, however deep the module lies', () => {
    const shallow = fromTheBundle("new URL('../../proto/a.proto', import.meta.url)", 'plugin/swarm/methods.ts');
    const deep = fromTheBundle(
      "new URL(\n  '../../../proto/a.proto',\n  import.meta.url,\n)",
      'plugin/seed/relay/methods.ts',
    );
    const expected = { text: "new URL('../../proto/a.proto', import.meta.url)", named: ['proto/a.proto'] };
    expect([shallow, deep]).toEqual([expected, expected]);
    expect(fromTheBundle("new URL('./page/', import.meta.url)", 'plugin/admin/page.ts')).toEqual({
      text: "new URL('../../plugin/admin/page/', import.meta.url)",
      named: ['plugin/admin/page/'],
    });
  });

  it('refuses a module whose files would be missing in the bundle', () => {
    expect(() => fromTheBundle('readFile(import.meta.dirname)', 'plugin/x.ts')).toThrow(/plugin\/x\.ts finds files/);
  });
});
