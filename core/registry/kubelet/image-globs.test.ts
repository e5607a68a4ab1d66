import { describe, expect, it } from '@jest/globals';
import { isImageMatched, keyOfAuth } from './image-globs.ts';

describe('isImageMatched()', () => {
  // The kubelet's own table (pkg/credentialprovider/keyring_test.go, TestURLsMatch), and its documentation's examples.
  it.each([
    ['kubernetes.io', 'kubernetes.io'],
    ['*.kubernetes.io', 'prefix.kubernetes.io'],
    ['prefix.*.io', 'prefix.kubernetes.io'],
    ['prefix.kubernetes.*', 'prefix.kubernetes.io'],
    ['*-good.kubernetes.io', 'prefix-good.kubernetes.io'],
    ['*.*.io', 'prefix.kubernetes.io'],
    ['*.io', 'kubernetes.io'],
    ['kubernetes.io:1111', 'kubernetes.io:1111'],
    ['*.io:1111/path', 'kubernetes.io:1111/path/image'],
    ['*.io/path', 'kubernetes.io/path/'],
    ['*.dkr.ecr.*.amazonaws.com', '123.dkr.ecr.eu-west-1.amazonaws.com/team/app'],
    ['gcr.io', 'gcr.io/project/app'],
    ['*.azurecr.io', 'mine.azurecr.io/app'],
    ['docker.io/library', 'docker.io/library/nginx'],
    ['a*b*c.io', 'aXbYbZc.io/x'],
    ['127.0.0.1:5000', '127.0.0.1:5000/team/app'],
    ['[::1]:5000', '[::1]:5000/team/app'],
    ['registry.io/foo', 'registry.io/foobar'],
  ])('"%s" matches "%s"', (glob, image) => expect(isImageMatched(glob, image)).toBe(true));

  it.each([
    ['kubernetes.io', 'kubernetes.com'],
    ['*.kubernetes.io', 'kubernetes.io'],
    ['*.kubernetes.io', 'a.b.kubernetes.io/x'],
    ['prefix.*.io', 'kubernetes.io'],
    ['kubernetes.io:1111', 'kubernetes.io:2222'],
    ['kubernetes.io', 'kubernetes.io:1111/app'],
    ['kubernetes.io:1111', 'kubernetes.io/app'],
    ['kubernetes.io/path', 'kubernetes.io/another/app'],
    ['*', 'kubernetes.io/app'],
    ['ab*bc.io', 'abc.io/x'],
    ['*.amazonaws.com', 'evil.example/x.amazonaws.com'],
    ['', 'kubernetes.io'],
  ])('"%s" does not match "%s"', (glob, image) => expect(isImageMatched(glob, image)).toBe(false));
});

describe('keyOfAuth()', () => {
  it.each([
    ['https://gcr.io', 'gcr.io'],
    ['gcr.io/', 'gcr.io'],
    ['https://r.io/v1/', 'r.io'],
    ['http://r.io:5000/v2/team', 'r.io:5000/team'],
    ['*.azurecr.io/team', '*.azurecr.io/team'],
  ])('of "%s" is "%s"', (key, wanted) => expect(keyOfAuth(key)).toBe(wanted));
});
