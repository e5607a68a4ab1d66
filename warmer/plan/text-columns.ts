/** Rows of cells as aligned lines. Pure. */

/** Wider cells are clipped, so that one long name does not push everything off the screen. */
const CELL_WIDTH_MAX = 72;
const GAP = '  ';

/** What a manifest says is printed as it is but for control characters, which could move the cursor. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map(clip));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => [...(row[column] ?? '')].length)));
  return cells.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
      .join(GAP)
      .trimEnd(),
  );
}

function clip(text: string): string {
  const line = text.replace(/\p{C}+/gu, ' ');
  const letters = [...line];
  return letters.length > CELL_WIDTH_MAX ? `${letters.slice(0, CELL_WIDTH_MAX - 1).join('')}…` : line;
}
