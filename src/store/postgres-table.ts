import type { Parameter, Run } from "./postgres-connection.ts";
import { clean, instant, json, type Row, readEntity, selectEntity } from "./postgres-rows.ts";
import type { Entity } from "./sqlite-rows.ts";

/** One table of the registry: whole records in and out, any number with one statement, in a transaction of the caller. */
export interface RegistryTable<T> {
  /** In the order of their ids. `condition`: on `t`, of the parameters. */
  list(run: Run, condition?: string, parameters?: readonly Parameter[]): Promise<T[]>;
  /** Those of these ids that are there. */
  find(run: Run, ids: readonly number[]): Promise<T[]>;
  /** @returns their ids, in the order of the values */
  insert(run: Run, values: readonly object[]): Promise<readonly number[]>;
  /** Writes those that say something else than the record found, and no others. @returns their ids */
  update(run: Run, changes: readonly { found: T; value: object }[]): Promise<ReadonlySet<number>>;
  remove(run: Run, ids: readonly number[]): Promise<void>;
}

/** One of the values of a JSON array that is a parameter: a condition that an index serves. */
export function anyOf(parameter: string, type: "integer" | "text"): string {
  return `ANY (ARRAY(SELECT value::${type} FROM json_array_elements_text(${parameter}::text::json)))`;
}

/** `readOnly`: fields that the registry does not write. */
export function createTable<T extends { id: number }>(
  entity: Entity<T>,
  readOnly: readonly (keyof T)[] = [],
): RegistryTable<T> {
  const { table } = entity;
  const unwritten: readonly string[] = ["id", ...readOnly.map(String)];
  const written = Object.entries<string>(entity.columns).filter(([field]) => !unwritten.includes(field));
  const names = written.map(([, column]) => column);
  const typeOf = (field: string): string => {
    if (entity.booleans.includes(field as keyof T)) return "boolean";
    if (entity.dates.includes(field as keyof T)) return "timestamptz";
    return isNumber(field) ? "integer" : "text";
  };
  const types = written.map(([field, column]) => `${column} ${typeOf(field)}`).join(", ");
  const select = `SELECT ${selectEntity(entity, "t")} FROM ${table} t`;
  const insert = `INSERT INTO ${table} (${names.join(", ")}) SELECT ${names.join(", ")}
    FROM json_to_recordset($1::text::json) AS g (ord integer, ${types}) ORDER BY ord RETURNING id`;
  const update = `UPDATE ${table} t SET ${names.map((name) => `${name} = g.${name}`).join(", ")}
    FROM json_to_recordset($1::text::json) AS g (id integer, ${types}) WHERE t.id = g.id`;
  const columnsOf = (value: object): Row =>
    Object.fromEntries(written.map(([field, column]) => [column, toColumn((value as Row)[field])]));

  const list: RegistryTable<T>["list"] = async (run, condition = "true", parameters = []) =>
    (await run<Row>(`${select} WHERE ${condition} ORDER BY t.id`, parameters)).map((row) => readEntity(entity, row));
  return {
    list,
    find: async (run, ids) => (ids.length === 0 ? [] : list(run, `t.id = ${anyOf("$1", "integer")}`, [json(ids)])),
    insert: async (run, values) => {
      if (values.length === 0) return [];
      const rows = await run<{ id: number }>(insert, [
        json(values.map((value, ord) => ({ ord, ...columnsOf(value) }))),
      ]);
      // Numbered in the order in which they were put in.
      return rows.map(({ id }) => id).sort((a, b) => a - b);
    },
    update: async (run, changes) => {
      const different = changes
        .map(({ found, value }) => ({ id: found.id, before: columnsOf(found), after: columnsOf(value) }))
        .filter(({ before, after }) => names.some((name) => before[name] !== after[name]));
      if (different.length > 0) await run(update, [json(different.map(({ id, after }) => ({ id, ...after })))]);
      return new Set(different.map(({ id }) => id));
    },
    remove: async (run, ids) => {
      if (ids.length > 0) await run(`DELETE FROM ${table} WHERE id = ${anyOf("$1", "integer")}`, [json(ids)]);
    },
  };
}

/** Numbers of the registry are ids, times and counts; everything else that is no date and no flag is text. */
function isNumber(field: string): boolean {
  return /Id$|Ms$|Max$/.test(field);
}

function toColumn(value: unknown): string | number | boolean | null {
  if (value instanceof Date) return instant(value);
  if (typeof value === "string") return clean(value);
  return typeof value === "number" || typeof value === "boolean" ? value : null;
}
