import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { CodedError, type ErrorCode } from '../../core/runtime/errors.ts';
import { ABSENT_MS, AccessMemory, REFUSED_MS, UNREACHABLE_MS } from './access-memory.ts';

const digest = digestOf('blob');
const registry = { host: 'registry.example', url: 'https://registry.example' };
const open = { registry, name: 'open' };
const closed = { registry, name: 'closed' };
const failure = (code: ErrorCode) => ({ error: new CodedError(code, 'No'), nowMs: 0 });

describe('belief()', () => {
  it('is unknown before anything was answered, and yes where something was', () => {
    const memory = new AccessMemory();
    expect(memory.belief(open, digest, 0)).toBe('unknown');
    memory.answered(open);
    expect(memory.belief(open, digest, 0)).toBe('yes');
  });

  it('of a blob that was absent is yes again once the repository says that it has it', () => {
    const memory = new AccessMemory();
    memory.failed(open, digest, failure('NOT_FOUND'));
    memory.answered(open);
    expect(memory.belief(open, digest, 1)).toBe('no');
    memory.answered(open, digest);
    expect(memory.belief(open, digest, 1)).toBe('yes');
  });

  it('of one repository says nothing of another', () => {
    const memory = new AccessMemory();
    memory.answered(open);
    expect(memory.belief(closed, digest, 0)).toBe('unknown');
    memory.failed(closed, digest, failure('UNAUTHENTICATED'));
    expect(memory.belief(closed, digest, 0)).toBe('no');
    expect(memory.belief(open, digest, 0)).toBe('yes');
  });

  it('is for a guess only what that repository answered itself', () => {
    const memory = new AccessMemory();
    const guess = { ...closed, isGuess: true };
    memory.answered(open);
    memory.hasCredential(open);
    expect(memory.belief(guess, digest, 0)).toBe('unknown');
    memory.answered(guess);
    expect(memory.belief(guess, digest, 0)).toBe('yes');
  });

  it('is yes with a credential, until the repository refuses it', () => {
    const memory = new AccessMemory();
    memory.hasCredential(closed);
    expect(memory.belief(closed, digest, 0)).toBe('yes');
    memory.failed(closed, digest, failure('PERMISSION_DENIED'));
    expect(memory.belief(closed, digest, REFUSED_MS - 1)).toBe('no');
    expect(memory.belief(closed, digest, REFUSED_MS)).toBe('unknown');
  });

  it('forgets refusals when the credentials change', () => {
    const memory = new AccessMemory();
    memory.failed(closed, digest, failure('UNAUTHENTICATED'));
    memory.forgetRefusals();
    expect(memory.belief(closed, digest, 0)).toBe('unknown');
  });

  it('takes no refusal from before a change of credentials', () => {
    const memory = new AccessMemory();
    const { generation } = memory;
    memory.forgetRefusals();
    memory.failed(closed, digest, { ...failure('UNAUTHENTICATED'), generation });
    expect(memory.belief(closed, digest, 0)).toBe('unknown');
  });

  it('is no for an absent blob for a while, and for that blob alone', () => {
    const memory = new AccessMemory();
    memory.answered(open);
    memory.failed(open, digest, failure('NOT_FOUND'));
    expect(memory.belief(open, digest, ABSENT_MS - 1)).toBe('no');
    expect(memory.belief(open, digestOf('other'), 0)).toBe('yes');
    expect(memory.belief(open, digest, ABSENT_MS)).toBe('yes');
  });

  it('is no for a little while where nobody answered', () => {
    const memory = new AccessMemory();
    memory.unreachable(open, digest, 0);
    expect(memory.belief(open, digest, UNREACHABLE_MS - 1)).toBe('no');
    expect(memory.belief(open, digest, UNREACHABLE_MS)).toBe('unknown');
  });
});
