import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import YAML from 'yaml';
import { readPlainYaml } from './plain-yaml.ts';
import type { PositionedNode } from './positioned.ts';
import { splitDocuments } from './split-documents.ts';
import { readFully } from './yaml-text.ts';

const FIXTURES = resolve(import.meta.dirname, '../../../test/fixtures/warmer');

/** What the full parser makes of a document. */
function fully(text: string, line = 1): PositionedNode | undefined {
  const [part, another] = readFully({ text, line }, 'kubernetes', 1);
  return part?.kind === 'node' && another === undefined ? part.node : undefined;
}

/** The value with its lines; that of nothing stands between two things, and is not compared. */
function lined(node: PositionedNode | undefined): unknown {
  if (node === undefined) return undefined;
  if (node.kind === 'list') return [node.line, node.items.map(lined)];
  if (node.kind === 'map') return [node.line, [...node.entries].map(([key, child]) => [key, lined(child)])];
  return node.value === null ? null : [node.line, node.value];
}

/** True when the fast reader took it; it must then agree. */
function agrees(text: string, line = 1): boolean {
  const plain = readPlainYaml(text, line, 'kubernetes');
  if (plain === undefined) return false;
  expect({ text, read: lined(plain) }).toEqual({ text, read: lined(fully(text, line)) });
  return true;
}

const TYPICAL = `--- # a comment
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app.kubernetes.io/name: web
    on: "yes"
    "quoted key": 'it''s'
spec:
  replicas: 010 # eight

  template:
    spec:
      containers:
      - name: web
        image: registry.example/web:1.2@sha256:abc#x
        args: ["--port", "8080"]
        env:
          - name: A
            value: "a \\"b\\" \\n c"
          -
            name: B
      - image: other:1
        resources: {}
        nothing:
        last: ~
      nested:
        - - a
          - b: 1
            c: 2
      tolerations: []
data:
  script: |
    #!/bin/sh
      indented

    end
  stripped: |-
    one
    two
`;

describe('readPlainYaml()', () => {
  it('reads what manifests look like, and agrees with the full parser', () => expect(agrees(TYPICAL, 7)).toBe(true));

  it('agrees with the full parser over every fixture, and takes most of them', () => {
    const files = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' }).filter((name) => /\.ya?ml$/.test(name));
    const parts = files.flatMap((name) => [...splitDocuments(readFileSync(join(FIXTURES, name), 'utf8'))]);
    const taken = parts.filter(({ text, line }) => agrees(text, line));
    expect(taken.length).toBeGreaterThan(parts.length / 3);
  });

  it.each([
    'a: &x 1\n',
    'a: *x\n',
    'a: !!str 1\n',
    '<<: {"a": 1}\n',
    'a: b\n  c\n',
    'a: "b\n  c"\n',
    'a: >\n  b\n',
    'a: |+\n  b\n',
    'a: |2\n   b\n',
    '? a\n',
    'a: b: c\n',
    'a: {b: c}\n',
    'a:\tb\n',
    'a: 1\n...\n',
    'a: .inf\n',
    'a\n',
    '%YAML 1.1\n---\na: 1\n',
    'a: 1\n b: 2\n',
    '  a: 1\nb: 2\n',
    'a:\n- b\n c: 1\n',
    'a: |\n   x\n  y\n',
    '{{ if x }}\na: 1\n',
    'a: {{ x }}\n',
  ])('leaves %j to the full parser', (text) => expect(readPlainYaml(text, 1, 'kubernetes')).toBeUndefined());

  it('agrees with the full parser on whatever it takes', () => {
    const piece = fc.constantFrom(
      ...[
        'a: ',
        'b:',
        '- ',
        '-',
        '\n',
        '\n',
        '  ',
        '    ',
        ' ',
        'x',
        '"y"',
        "'z'",
        '|',
        '|-',
        '#',
        ' # c',
        '1',
        '[]',
        '{}',
      ],
      ...['["a", 1]', ': ', '"k": ', '~', 'yes', '---', '\\', ',', '>', '&', '*', 'é', '"a\\n"', "''", '@'],
    );
    let taken = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
        // Documents start at "---": elsewhere in a text there is none.
        const text = pieces.join('');
        if (!/\n---/.test(text) && agrees(text)) taken += 1;
      }),
      { numRuns: 5_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it('agrees with the full parser on what other programs write', () => {
    const styles = [
      { defaultStringType: 'QUOTE_DOUBLE' },
      { defaultStringType: 'QUOTE_SINGLE' },
      { defaultStringType: 'PLAIN', indentSeq: false },
      { defaultStringType: 'BLOCK_LITERAL', indent: 4 },
    ] as const;
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(...styles), (value, style) => {
        agrees(YAML.stringify(value, { version: '1.1', lineWidth: 0, ...style }));
      }),
      { numRuns: 500 },
    );
  });
});
