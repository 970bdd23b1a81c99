import type { Parameter, Run } from "./postgres-connection.ts";
import { clean, instant, type Row, readEntity, selectEntity } from "./postgres-rows.ts";
import type { Entity } from "./sqlite-rows.ts";

/** One table of the registry: whole records in and out, by the statements of a transaction of the caller. */
export interface RegistryTable<T> {
  list(run: Run): Promise<T[]>;
  find(run: Run, id: number): Promise<T | null>;
  insert(run: Run, value: object): Promise<number>;
  /** False when the record says the same already: then nothing is written. */
  update(run: Run, found: T, value: object): Promise<boolean>;
  remove(run: Run, id: number): Promise<void>;
}

/** `readOnly`: fields that the registry does not write. */
export function createTable<T extends { id: number }>(
  entity: Entity<T>,
  readOnly: readonly (keyof T)[] = [],
): RegistryTable<T> {
  const unwritten: readonly string[] = ["id", ...readOnly.map(String)];
  const written = Object.entries<string>(entity.columns).filter(([field]) => !unwritten.includes(field));
  const names = written.map(([, column]) => column);
  const cast = (field: string, index: number): string => {
    const parameter = `$${index + 1}::text`;
    if (entity.booleans.includes(field as keyof T)) return `${parameter}::boolean`;
    if (entity.dates.includes(field as keyof T)) return `${parameter}::timestamptz`;
    return isNumber(field) ? `${parameter}::integer` : parameter;
  };
  const values = written.map(([field], index) => cast(field, index));
  const select = `SELECT ${selectEntity(entity, "t")} FROM ${entity.table} t`;
  const bind = (value: object): Parameter[] => written.map(([field]) => toParameter((value as Row)[field]));

  return {
    list: async (run) => (await run<Row>(`${select} ORDER BY t.id`)).map((row) => readEntity(entity, row)),
    find: async (run, id) => {
      const [row] = await run<Row>(`${select} WHERE t.id = $1::text::bigint`, [String(id)]);
      return row === undefined ? null : readEntity(entity, row);
    },
    insert: async (run, value) => {
      const sql = `INSERT INTO ${entity.table} (${names.join(", ")}) VALUES (${values.join(", ")}) RETURNING id`;
      const [row] = await run<{ id: number }>(sql, bind(value));
      return row?.id ?? 0;
    },
    update: async (run, found, value) => {
      const [before, after] = [bind(found), bind(value)];
      if (before.every((column, index) => column === after[index])) return false;
      const sets = names.map((name, index) => `${name} = ${values[index]}`);
      await run(`UPDATE ${entity.table} SET ${sets.join(", ")} WHERE id = $${names.length + 1}::text::bigint`, [
        ...after,
        String(found.id),
      ]);
      return true;
    },
    remove: async (run, id) => {
      await run(`DELETE FROM ${entity.table} WHERE id = $1::text::bigint`, [String(id)]);
    },
  };
}

/** Numbers of the registry are ids, times and counts; everything else that is no date and no flag is text. */
function isNumber(field: string): boolean {
  return /Id$|Ms$|Max$/.test(field);
}

function toParameter(value: unknown): Parameter {
  if (value instanceof Date) return instant(value);
  if (typeof value === "string") return clean(value);
  return value === null || value === undefined ? null : String(value);
}
