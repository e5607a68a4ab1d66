import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isCode } from '../../../core/runtime/errors.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { decodeHuffman } from './huffman.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('decodeHuffman()', () => {
  // RFC 7541 appendix C.4 and C.6.
  it.each([
    ['f1e3 c2e5 f23a 6ba0 ab90 f4ff', 'www.example.com'],
    ['a8eb 1064 9cbf', 'no-cache'],
    ['25a8 49e9 5ba9 7d7f', 'custom-key'],
    ['25a8 49e9 5bb8 e8b4 bf', 'custom-value'],
    ['d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3', 'https://www.example.com'],
    ['', ''],
  ])('decodes %j', (code, text) => {
    expect(decodeHuffman(hex(code))).toBe(text);
  });

  it.each(['ff', 'ffff ffff', 'f1e3 c2e5 f2', '00'])('refuses %j, whose padding is none', (code) => {
    expect(() => decodeHuffman(hex(code))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('HpackDecoder', () => {
  // RFC 7541 appendices C.3 and C.4: three requests on one connection, plain and by Huffman code.
  it.each([
    ['plain', ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', '8286 84be 5808 6e6f 2d63 6163 6865']],
    ['Huffman', ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', '8286 84be 5886 a8eb 1064 9cbf']],
  ])('decode() follows the requests of the RFC: %s', (_name, blocks) => {
    const decoder = new HpackDecoder();
    for (const block of blocks) {
      expect(decoder.decode(hex(block))).toEqual({ method: 'GET', path: '/', contentType: '' });
    }
  });

  it('decode() gives the same for a block again, but not after the table has changed', () => {
    const decoder = new HpackDecoder();
    const add = (path: string) => Buffer.concat([hex('44'), Buffer.from([path.length]), Buffer.from(path)]);
    expect(decoder.decode(add('/one')).path).toBe('/one');
    expect(decoder.decode(hex('be')).path).toBe('/one');
    expect(decoder.decode(hex('be')).path).toBe('/one');
    expect(decoder.decode(add('/two')).path).toBe('/two');
    expect(decoder.decode(hex('be')).path).toBe('/two');
    expect(decoder.decode(hex('bf')).path).toBe('/one');
    expect(() => decoder.decode(hex('20 be'))).toThrow('no entry 62');
  });

  it.each([
    ['an index beyond the tables', 'ff ff 03'],
    ['index zero', '80'],
    ['a string longer than its block', '40 05 61'],
    ['a number without an end', 'ff ff ff ff ff ff ff'],
    ['a table larger than allowed', '3f e2 1f'],
    ['an end in the middle', '40'],
  ])('decode() refuses %s', (_name, block) => {
    expect(() => new HpackDecoder().decode(hex(block))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('decode() refuses a block that unpacks into too much', () => {
    const decoder = new HpackDecoder();
    decoder.decode(Buffer.concat([hex('40 01 61 7f a1 1e'), Buffer.alloc(4000, 0x62)]));
    expect(() => decoder.decode(Buffer.alloc(100, 0xbe))).toThrow('too many headers');
  });

  it('decode() throws nothing but INVALID_ARGUMENT', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), (blocks) => {
        const decoder = new HpackDecoder();
        try {
          for (const block of blocks) decoder.decode(Buffer.from(block));
        } catch (error) {
          expect(isCode(error, 'INVALID_ARGUMENT')).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
