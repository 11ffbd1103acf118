// Columns and the roles they play, as a person picks them.

import type { ColumnRole, Mapping, ShapeSheet } from "../backend";

/** The role of another shape that says the same. */
const ALIKE: Partial<Record<ColumnRole, readonly ColumnRole[]>> = {
  prompt: ["instruction", "text"],
  instruction: ["prompt", "text"],
  completion: ["output"],
  output: ["completion"],
  text: ["completion", "output", "prompt", "instruction"],
};

/** The roles that a shape needs and that have no column yet. */
export const gaps = (mapping: Mapping | null, sheet: ShapeSheet | null): readonly ColumnRole[] =>
  sheet === null ? [] : sheet.needs.filter((role) => mapping?.columns[role] === undefined);

/** `mapping` under another shape: columns keep the role they had, or the one most like it. */
export function carried(mapping: Mapping | null, sheet: ShapeSheet): Mapping {
  const columns: Mapping["columns"] = {};
  const before = mapping?.columns ?? {};
  for (const role of [...sheet.needs, ...sheet.may]) {
    const from = [role, ...(ALIKE[role] ?? [])].find((other) => before[other] !== undefined);
    const column = from && before[from];
    if (column !== undefined && !Object.values(columns).includes(column)) columns[role] = column;
  }
  return { shape: sheet.shape, columns };
}

/** `role` gets `column`; a role that had it gets what this one had before. Null: no column. */
export function picked(mapping: Mapping, role: ColumnRole, column: string | null): Mapping {
  const columns = { ...mapping.columns };
  const before = columns[role];
  const other = (Object.keys(columns) as ColumnRole[]).find((known) => known !== role && columns[known] === column);
  if (column === null) delete columns[role];
  else columns[role] = column;
  if (column !== null && other) {
    if (before === undefined) delete columns[other];
    else columns[other] = before;
  }
  return { ...mapping, columns };
}
