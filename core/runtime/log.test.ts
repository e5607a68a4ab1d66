import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { createLogger } from './log.ts';

describe('createLogger()', () => {
  it('rounds measured numbers to three digits, and leaves whole ones, texts and errors', async () => {
    const out = new PassThrough();
    const log = createLogger({ level: 'info', format: 'json', out }).child({ module: 'm', share: 0.123456 });
    log.info({ tookMs: 12.345678901, bytes: 2 ** 40, name: '1.23456', err: new Error('why') }, 'Done');
    out.end();
    expect(JSON.parse(await text(out))).toMatchObject({
      ...{ tookMs: 12.346, bytes: 2 ** 40, name: '1.23456', msg: 'Done' },
      err: { message: 'why', type: 'Error' },
    });
  });
});
