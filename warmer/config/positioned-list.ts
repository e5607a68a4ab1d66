/** A list of texts that remember where they were written. */
import type { Field } from '../../core/runtime/config-schema.ts';

export interface PositionedText {
  readonly text: string;
  /** 1-based, in the configuration file. */
  readonly line: number;
}

/** As `list` of the schema; what the texts mean is judged later, with their lines. */
export function positionedList(key: string, bounds: { max: number }): Field<readonly PositionedText[]> {
  return {
    key,
    read(entry, path, reader) {
      if (entry === undefined) return Object.freeze([]);
      if (entry.kind !== 'array') reader.wrongType(path, entry, 'an array of strings');
      const items = entry.kind === 'array' ? entry.items : [];
      if (items.length > bounds.max) reader.problem(path, `${items.length} entries, at most ${bounds.max} are read`);
      const texts = items.slice(0, bounds.max).flatMap((item, index): PositionedText[] => {
        const at = `${path}[${index}]`;
        if (item.kind !== 'string') reader.wrongType(at, item, 'a string');
        const text = item.kind === 'string' ? reader.expand(at, item.value, item.line) : undefined;
        return text === undefined ? [] : [{ text, line: item.line }];
      });
      return Object.freeze(texts);
    },
  };
}
